//! Colours for scores: from dark violet for the worst to yellow for the best, of even lightness steps, so that print in grey keeps the order.

use plotters::style::RGBColor;

use super::legend::{LegendEntry, Swatch};

/// Nine colours of viridis (van der Walt and Smith, matplotlib 2015), which lie evenly along it.
const VIRIDIS: [RGBColor; 9] = [
    RGBColor(68, 1, 84),
    RGBColor(71, 44, 122),
    RGBColor(59, 81, 139),
    RGBColor(44, 113, 142),
    RGBColor(33, 144, 141),
    RGBColor(39, 173, 129),
    RGBColor(92, 200, 99),
    RGBColor(170, 220, 50),
    RGBColor(253, 231, 37),
];

/// A colour for every number between two.
pub struct ColorScale {
    worst: f64,
    best: f64,
}

impl ColorScale {
    /// Colours from `worst` to `best`, either of which may be the larger.
    pub fn new(worst: f64, best: f64) -> Self {
        Self { worst, best }
    }

    /// The colour of a score; beyond the ends that of the end.
    pub fn color(&self, score: f64) -> RGBColor {
        let share = (score - self.worst) / (self.best - self.worst);
        let at = if share.is_finite() { share.clamp(0.0, 1.0) } else { 1.0 } * (VIRIDIS.len() - 1) as f64;
        let below = (at as usize).min(VIRIDIS.len() - 2);
        let (from, to, part) = (VIRIDIS[below], VIRIDIS[below + 1], at - below as f64);
        let mix =
            |from: u8, to: u8| (f64::from(from) + part * (f64::from(to) - f64::from(from))).round() as u8;
        RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
    }

    /// A legend of five scores, the best at the top.
    pub fn legend(&self) -> Vec<LegendEntry> {
        let step = (self.best - self.worst) / 4.0;
        let decimals = (1.0 - step.abs().max(1e-6).log10().floor()).clamp(0.0, 6.0) as usize;
        let entry = |place: u32| {
            let score = self.best - step * f64::from(place);
            let label = format!("{score:.decimals$}");
            LegendEntry { sample: Swatch::Patch(self.color(score)), label, note: None }
        };
        (0..5).map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_worst_to_the_best_whichever_is_larger() {
        let (accuracy, loss) = (ColorScale::new(20.0, 60.0), ColorScale::new(2.0, 0.5));
        assert_eq!([accuracy.color(60.0), accuracy.color(99.0), loss.color(0.5)], [VIRIDIS[8]; 3]);
        assert_eq!([accuracy.color(20.0), accuracy.color(-1.0), loss.color(9.0)], [VIRIDIS[0]; 3]);
        assert_eq!(accuracy.color(40.0), VIRIDIS[4]);
        assert_eq!(ColorScale::new(3.0, 3.0).color(3.0), VIRIDIS[8]);
        let labels: Vec<String> = accuracy.legend().into_iter().map(|entry| entry.label).collect();
        assert_eq!(labels, ["60", "50", "40", "30", "20"]);
    }
}
