/* Indonesian for plotly, which brings English alone: month and day names, numbers, its buttons.
 *
 * Plotly takes up what waits in PlotlyLocales when it loads, so nothing here needs it yet.
 */
"use strict";

window.PlotlyLocales = window.PlotlyLocales || [];
window.PlotlyLocales.push({
  moduleType: "locale",
  name: "id",
  dictionary: {
    Zoom: "Perbesar",
    Pan: "Geser",
    "Reset axes": "Kembali ke awal",
    "Download plot as a PNG": "Unduh sebagai PNG",
    "Download plot": "Unduh bagan",
    "Double-click to zoom back out": "Klik dua kali untuk kembali",
    "Taking snapshot - this may take a few seconds": "Gambar sedang dibuat",
    "Snapshot succeeded": "Gambar selesai",
    "Sorry, there was a problem downloading your snapshot!": "Gambar tidak dapat diunduh",
  },
  format: {
    days: ["Minggu", "Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu"],
    shortDays: ["Min", "Sen", "Sel", "Rab", "Kam", "Jum", "Sab"],
    months: [
      "Januari",
      "Februari",
      "Maret",
      "April",
      "Mei",
      "Juni",
      "Juli",
      "Agustus",
      "September",
      "Oktober",
      "November",
      "Desember",
    ],
    shortMonths: [
      "Jan",
      "Feb",
      "Mar",
      "Apr",
      "Mei",
      "Jun",
      "Jul",
      "Agu",
      "Sep",
      "Okt",
      "Nov",
      "Des",
    ],
    date: "%d/%m/%Y",
    decimal: ",",
    thousands: ".",
  },
});
