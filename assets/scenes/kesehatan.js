/* Scene kesehatan: queues of the clinics, ambulances, medicines. Counts only, never persons. */
"use strict";

(() => {
  const live = window.lawang.live;
  const { say, number, part } = live;
  const { parts, format, charts } = window.lawang.wall;
  /** A wait that the city calls long; the bar of a clinic is full at twice of it. */
  const LONG_MIN = 60;

  function clinicRow(clinic) {
    const state = clinic.minutes === undefined || clinic.old ? "grey" : clinic.minutes > LONG_MIN ? "red" : clinic.minutes > LONG_MIN / 2 ? "amber" : "green";
    return part("div", { class: `clinic clinic-${state}`, "data-region": clinic.k }, [
      part("i", { class: `light light-${state}` }, { green: "●", amber: "◆", red: "▲", grey: "○" }[state]),
      part("span", { class: "clinic-name" }, clinic.n),
      charts.bullet(clinic.minutes === undefined ? undefined : clinic.minutes / (2 * LONG_MIN), { due: 0.5 }),
      part("span", { class: "clinic-minutes" }, clinic.minutes === undefined ? format.MISSING : say("{n} min", { n: number(clinic.minutes) })),
      part("span", { class: "clinic-waiting" }, clinic.waiting === undefined ? format.MISSING : say("{n} people", { n: number(clinic.waiting) })),
    ]);
  }

  function stockRow(medicine) {
    const state = medicine.low === undefined ? "unknown" : medicine.low ? "low" : "enough";
    return part("div", { class: `stock stock-${state}` }, [
      part("span", { class: "stock-sign" }, { unknown: "○", low: "▲", enough: "●" }[state]),
      part("span", { class: "stock-name" }, parts.named(medicine)),
      part("span", { class: "stock-low-count" }, [
        state === "unknown"
          ? say("{n} clinics", { n: number(medicine.clinics) })
          : say("{n} of {total}", { n: number(medicine.low), total: number(medicine.clinics) }),
        medicine.missing ? ` · ◐ ${say("{n} old", { n: number(medicine.missing) })}` : "",
      ]),
    ]);
  }

  function indicatorRow(entry) {
    return part("div", { class: "health-line" }, [
      parts.light(entry.light, true),
      part("span", { class: "stock-name" }, parts.named(entry)),
      part("span", { class: "health-value" }, [
        part("b", {}, format.figure(entry.value, entry.unit)),
        entry.value !== undefined && parts.unitWord(entry) ? ` ${parts.unitWord(entry)}` : "",
      ]),
    ]);
  }

  window.lawang.wall.scene("kesehatan", {
    panels: ["clinics", "health", "vehicles", "regions"],
    mount(root, context) {
      const waiting = parts.tile({ title: say("Patients waiting"), panel: "clinics", className: "kes-figure", id: "waiting" });
      const minutes = parts.tile({ title: say("Waiting time, median of the clinics"), panel: "clinics", className: "kes-figure", id: "minutes" });
      const ambulances = parts.tile({ title: say("Ambulances ready"), panel: "clinics", className: "kes-figure", id: "ambulances" });
      const queues = parts.tile({ title: say("Longest waits"), panel: "clinics", className: "kes-queues", id: "queues" });
      const stock = parts.tile({ title: say("Medicines: clinics running low"), panel: "clinics", className: "kes-stock", id: "stock" });
      const health = parts.tile({ title: say("Health indicators"), panel: "health", className: "kes-health", id: "health" });
      const map = parts.tile({ title: say("Ambulances"), panel: "vehicles", className: "kes-map", id: "map" });
      const slot = part("div", { class: "map-slot" });
      map.body.append(slot);
      const top = part("div", { class: "kes-figures" }, [waiting.root, minutes.root, ambulances.root]);
      root.append(top, queues.root, map.root, stock.root, health.root);
      const figures = Object.fromEntries(
        Object.entries({ waiting, minutes, ambulances }).map(([name, tile]) => {
          const made = parts.figure({ unit: name === "minutes" ? say("min") : "" });
          tile.body.append(made.root);
          return [name, made];
        }),
      );
      const drawn = context.map({
        slot,
        layers: ["regions", "vehicles"],
        kinds: ["ambulans"],
        filters: context.filters,
        measure: null,
      });

      function drawClinics(panel) {
        const all = Object.values(panel.clinics || {}).sort((a, b) => (b.minutes ?? -1) - (a.minutes ?? -1));
        figures.waiting.set(format.number(panel.waiting), [
          say("in {n} of {total} clinics", {
            n: number(all.length - (panel.missing || 0)),
            total: number(all.length),
          }),
        ]);
        figures.minutes.set(format.number(panel.median_minutes), [
          panel.missing ? `◐ ${say("{n} clinics tell nothing", { n: number(panel.missing) })}` : all.length ? say("all clinics tell") : "",
        ]);
        parts.fill(queues.body, all, 2.35, clinicRow);
        const medicines = Object.values(panel.stock || {}).sort((a, b) => (b.low || 0) - (a.low || 0));
        parts.fill(stock.body, medicines, 2.35, stockRow);
        drawAmbulances(panel.ambulances);
      }

      function drawAmbulances(counts) {
        if (!counts || !counts.total) {
          figures.ambulances.set(format.MISSING, "");
          return;
        }
        figures.ambulances.set(number(counts.standby), [
          say("{active} under way · {off} out of service · of {n}", {
            active: number(counts.active),
            off: number(counts.off),
            n: number(counts.total),
          }),
          counts.old ? ` · ◐ ${say("{n} not heard", { n: number(counts.old) })}` : "",
        ]);
      }

      function drawHealth(panel) {
        const order = ["red", "amber", "grey", "green"];
        const all = Object.entries(panel.entries || {})
          .map(([id, entry]) => ({ id, ...entry }))
          .sort((a, b) => order.indexOf(a.light) - order.indexOf(b.light));
        parts.entitle(health, say("Health indicators"), all);
        parts.fill(health.body, all, 2.35, indicatorRow);
      }

      return {
        update(name, panel, before, patch) {
          if (name === "clinics") drawClinics(panel);
          if (name === "health") drawHealth(panel);
          if (drawn) drawn.update(name, panel, before, patch);
        },
      };
    },
  });
})();
