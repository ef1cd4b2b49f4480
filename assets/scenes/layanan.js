/* Scene layanan: what people asked for today, what waits, and how many promises were kept. */
"use strict";

(() => {
  const live = window.lawang.live;
  const { say, number, part } = live;
  const { parts, format, charts } = window.lawang.wall;

  function stageWord(stage) {
    const known = {
      menunggu: () => say("Waiting"),
      koordinasi: () => say("Coordination"),
      disposisi: () => say("Disposition"),
      proses: () => say("In progress"),
      selesai: () => say("Done"),
      dikembalikan: () => say("Returned"),
      ditolak: () => say("Rejected"),
      tidak_diketahui: () => say("Unknown status"),
      diajukan: () => say("Submitted"),
      diproses: () => say("Being processed"),
    }[stage];
    return known ? known() : stage.replaceAll("_", " ");
  }

  function spanWord(span) {
    return {
      day: () => say("day"),
      week: () => say("7 days"),
      month: () => say("30 days"),
      quarter: () => say("90 days"),
      year: () => say("this year"),
    }[span]();
  }

  /** One promise: how far it was kept of what it is measured by, and of how many cases. */
  function promise(entry) {
    const share = entry.unit === "%" ? entry.value : undefined;
    return part("div", { class: "promise" }, [
      parts.light(entry.light, true),
      part("span", { class: "promise-name" }, parts.named(entry)),
      part("span", { class: "promise-bar" }, [
        share === undefined
          ? charts.spark(entry.spark || [], { marks: [entry.target], label: parts.named(entry) })
          : charts.bullet(share, { due: entry.target }),
      ]),
      part("span", { class: "promise-value" }, [
        format.figure(entry.value, entry.unit),
        entry.value !== undefined && parts.unitWord(entry) ? `\u202f${parts.unitWord(entry)}` : "",
      ]),
      part("span", { class: "promise-cohort" }, [
        entry.cohort ? `n\u202f=\u202f${format.compact(entry.cohort)} · ` : "",
        entry.span ? spanWord(entry.span) : "",
      ]),
    ]);
  }

  function entryOf(panel, name) {
    return panel && panel[name];
  }

  function shareText(entry) {
    return entry ? format.figure(entry.value, entry.unit) : format.MISSING;
  }

  window.lawang.wall.scene("layanan", {
    panels: ["services", "desks"],
    mount(root) {
      const letters = parts.tile({ title: say("Kelurahan letters today"), panel: "desks", className: "lay-letters", id: "letters" });
      const ektp = parts.tile({ title: say("e-KTP printed"), panel: "desks", className: "lay-ektp", id: "ektp" });
      const paten = parts.tile({ title: say("PATEN, kecamatan counters"), panel: "desks", className: "lay-paten", id: "paten" });
      const verified = parts.tile({ title: say("Reports: claimed and verified"), panel: "services", className: "lay-verified", id: "verified" });
      const promises = parts.tile({ title: say("Promises kept"), panel: "services", className: "lay-promises", id: "promises" });
      const licences = parts.tile({ title: say("Licences by stage"), panel: "desks", className: "lay-licences", id: "licences" });
      root.append(letters.root, ektp.root, paten.root, verified.root, promises.root, licences.root);
      const figures = Object.fromEntries(
        Object.entries({ letters, ektp, paten, verified }).map(([name, tile]) => {
          const made = parts.figure({});
          tile.body.append(made.root);
          return [name, made];
        }),
      );

      function dayNote(entry) {
        return entry.day ? ` · ${format.day(entry.day).replaceAll(" ", "\u00a0")}` : "";
      }

      function silentNote(entry) {
        if (!entry.missing) return "";
        return part("span", { class: "line" }, `◐ ${say("{n} kecamatan silent", { n: number(entry.missing) })}`);
      }

      function drawDesks(panel) {
        const { letters: l, ektp: k, paten: p, licences: s } = panel;
        if (l)
          figures.letters.set(number(l.today ?? 0), [
            say("{done} done · {open} waiting", { done: number(l.done_today ?? 0), open: number(l.open ?? 0) }),
            l.cohort
              ? part("span", { class: "line" }, say("{share} within the promise (n = {n})", { share: format.percent(l.in_time), n: number(l.cohort) }))
              : "",
          ]);
        if (k)
          figures.ektp.set(format.number(k.printed), [
            say("of {n} asked", { n: format.number(k.asked) }),
            dayNote(k),
            silentNote(k),
          ]);
        if (p)
          figures.paten.set(format.number(p.done), [
            say("of {n} asked", { n: format.number(p.asked) }),
            p.rejected ? ` · ${say("{n} rejected", { n: number(p.rejected) })}` : "",
            dayNote(p),
            silentNote(p),
          ]);
        if (s) drawLicences(s);
        else licences.body.replaceChildren(parts.nothing(say("no data yet")));
      }

      function drawLicences(panel) {
        const all = Object.entries(panel.stages || {}).sort(([, a], [, b]) => b.n - a.n);
        const most = Math.max(1, ...all.map(([, each]) => each.n));
        licences.body.replaceChildren(
          part("div", { class: "lay-open" }, [
            part("b", { class: "figure-value" }, number(panel.open ?? 0)),
            part("span", {}, [
              say("open"),
              panel.late ? part("span", { class: "worse" }, ` · ▲ ${say("{n} past their promise", { n: number(panel.late) })}`) : "",
            ]),
          ]),
          ...all.slice(0, 6).map(([stage, each]) =>
            part("div", { class: "stage-row" }, [
              part("span", {}, stageWord(stage)),
              charts.bullet(undefined, {
                parts: [
                  { share: (each.n - (each.late || 0)) / most, className: "bullet-fill" },
                  { share: (each.late || 0) / most, className: "bullet-late" },
                ],
              }),
              part("b", {}, number(each.n)),
              part("span", { class: "worse" }, each.late ? `▲ ${number(each.late)}` : ""),
            ]),
          ),
        );
      }

      function drawServices(panel) {
        const all = panel.promises || [];
        parts.entitle(promises, say("Promises kept"), all);
        parts.fill(promises.body, all, 3.9, promise);
        const claimed = entryOf(panel, "claimed");
        const checked = entryOf(panel, "verified");
        const reopened = entryOf(panel, "reopened");
        figures.verified.set(shareText(checked), [
          say("verified · {share} claimed", { share: shareText(claimed) }),
          part("span", { class: "line" }, say("{share} reopened", { share: shareText(reopened) })),
        ]);
      }

      return {
        update(name, panel) {
          if (name === "desks") drawDesks(panel);
          if (name === "services") drawServices(panel);
        },
      };
    },
  });

  window.lawang.wall.spanWord = spanWord;
})();
