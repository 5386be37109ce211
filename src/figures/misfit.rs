//! How well answers that do not fit are found.

use anyhow::Result;

use super::{
    Figure, Results,
    axis::Axis,
    chart::{Chart, Panel},
    legend::{LegendEntry, Swatch},
    mark::Mark,
    style::{INK, Look, Marker},
};
use crate::profiles::Detector;

/// Misfit as a detector of students whose answers were made not to fit: its receiver operating characteristic, for every method.
pub struct Misfit;

const GUESSING: Look = Look { place: 0, color: INK, marker: Marker::Plus, dashed: true };

impl Figure for Misfit {
    fn name(&self) -> &'static str {
        "misfit"
    }

    fn caption(&self, results: &Results) -> String {
        let (positives, students) = results
            .ensembles
            .iter()
            .find_map(|ensemble| Some((ensemble.detector()?.positives, ensemble.students().len())))
            .unwrap_or_default();
        format!(
            "How well misfit finds the {positives} of {students} simulated test students whose answers were made not to fit: as the threshold \
             falls, the share of them that is found (upwards) against the share of the others that is taken for them (across). Misfit is \
             by how many standard deviations all answers of a student are less likely than answers that fit (Drasgow, Levine & Williams \
             1985), after adaptation to them; mean over seeds. AUC is the area below: one half is guessing."
        )
    }

    fn draw(&self, results: &Results) -> Result<Option<String>> {
        let detectors: Vec<(&str, Detector)> = results
            .ensembles
            .iter()
            .filter_map(|ensemble| Some((ensemble.method.as_str(), ensemble.detector()?)))
            .collect();
        if detectors.is_empty() {
            return Ok(None);
        }
        let mut marks = vec![Mark::Line(GUESSING, vec![(0.0, 0.0), (100.0, 100.0)])];
        marks.extend(detectors.iter().map(|(method, detector)| {
            let points = detector.curve.iter().map(|(alarms, hits)| (100.0 * alarms, 100.0 * hits)).collect();
            Mark::Line(results.look(method), points)
        }));
        let entry = |(method, detector): &(&str, Detector)| LegendEntry {
            sample: Swatch::Line(results.look(method)),
            label: (*method).to_owned(),
            note: Some(format!("AUC {:.3}", detector.area)),
        };
        let mut legend: Vec<LegendEntry> = detectors.iter().map(entry).collect();
        legend.push(LegendEntry { sample: Swatch::Line(GUESSING), label: "guessing".into(), note: None });
        let chart = Chart {
            title: results.title.clone(),
            subtitle: "finding students whose answers do not fit, by misfit after adaptation".into(),
            x: Axis::linear("others taken for them (%)", 0.0, 100.0),
            y: Axis::linear("found (%)", 0.0, 100.0),
            panels: vec![Panel { heading: None, marks }],
            legend,
        };
        chart.svg().map(Some)
    }
}
