//! One student: what she is predicted to know, before adaptation and after more and more answers.

use anyhow::Result;
use plotters::style::{RGBColor, text_anchor::HPos};

use super::{
    Figure, Results,
    axis::Axis,
    canvas::{self, Canvas},
    frame::Frame,
    legend::{self, LegendEntry, Swatch},
    mark::{Mark, fill},
    panel::Panel,
    raster,
    style::{GREY, GRID, INK, LABEL, Look, Marker, SUBTITLE, TICK, TITLE, Type, WHITE, WIDTH},
};
use crate::profiles::{Ensemble, Estimate, MASTERY};

/// The profile of one test student, of the best method whose seeds differ, since the others have no intervals.
pub struct ProfileFigure;

/// The most skills that are shown.
const SKILLS: usize = 10;
/// The most numbers of answers seen, and their colours: the more answers, the darker.
const COLORS: [RGBColor; 4] =
    [RGBColor(170, 170, 170), RGBColor(92, 160, 211), RGBColor(28, 104, 172), RGBColor(6, 38, 92)];
const MASTERED: Look = Look { place: COLORS.len(), color: INK, marker: Marker::Plus, dashed: true };
const RIGHT: RGBColor = RGBColor(0, 114, 178);
const WRONG: RGBColor = RGBColor(200, 90, 10);

const EDGE: i32 = 45;
const LEGEND: i32 = 145;
const LONGEST_SKILL: i32 = 420;
const TRUTH: i32 = 230;
const ROW: i32 = 96;
const AXIS: i32 = 160;
const CHIP: (i32, i32) = (163, 84);
const BETWEEN: i32 = 8;
const CHIPS: usize = 10;
const SMALL: Type = Type { size: 24, bold: false, color: WHITE };

/// What is drawn.
struct Shown<'a> {
    ensemble: &'a Ensemble,
    student: usize,
    /// The numbers of the skills, from above.
    skills: Vec<usize>,
    /// The answers that were seen at most.
    answers: &'a [(String, bool)],
}

impl Figure for ProfileFigure {
    fn name(&self) -> &'static str {
        "profile"
    }

    fn caption(&self, results: &Results) -> String {
        let Some(shown) = Shown::of(results) else { return String::new() };
        let all = shown.ensemble.skills().len();
        let which = match shown.skills.len() {
            some if some < all => format!("the {some} of {all} skills that change most"),
            _ => "each skill".to_owned(),
        };
        let truth =
            if shown.is_known() { " At the right what is true of the simulated student." } else { "" };
        format!(
            "One test student as {} sees her: predicted success with the items of {which}, before adaptation and after more and more of her \
             answers (from light to dark), which stand below. She is the student of {} whom adaptation changes by the median. The \
             dashed line is mastery, a predicted success of {:.0} %. {}. Intervals say how far trainings differ, not how surely a \
             student is known.{truth}",
            shown.ensemble.method,
            shown.ensemble.students().len(),
            100.0 * MASTERY,
            shown.ensemble.interval_is(),
        )
    }

    fn draw(&self, results: &Results) -> Result<Option<String>> {
        let Some(shown) = Shown::of(results) else { return Ok(None) };
        shown.svg(&results.title).map(Some)
    }
}

impl<'a> Shown<'a> {
    fn of(results: &'a Results) -> Option<Self> {
        let ensembles = results.ensembles_best_first();
        let ensemble = ensembles.iter().find(|ensemble| ensemble.varies()).or(ensembles.first())?;
        let (student, last) = (ensemble.typical(), ensemble.seen().len() - 1);
        let change = |skill: &usize| {
            (ensemble.success(student, last, *skill).mean - ensemble.success(student, 0, *skill).mean).abs()
        };
        let mut skills: Vec<usize> = (0..ensemble.skills().len()).collect();
        skills.sort_by(|a, b| change(b).total_cmp(&change(a)));
        skills.truncate(SKILLS);
        skills.sort_unstable();
        let most = ensemble.seen()[last];
        let answers = &ensemble.students()[student].answers;
        Some(Self { ensemble, student, skills, answers: &answers[..most.min(answers.len())] })
    }

    fn is_known(&self) -> bool {
        self.skills.iter().any(|skill| self.ensemble.mastered(self.student, *skill).is_some())
    }

    /// The places among the numbers of answers seen that are shown, with their looks.
    fn looks(&self) -> Vec<(usize, Look)> {
        let seen = self.ensemble.seen().len();
        let skipped = seen.saturating_sub(COLORS.len());
        let color = |at: usize| COLORS[COLORS.len() - (seen - skipped) + at];
        let look = |at: usize| Look { place: at, color: color(at), marker: Marker::Circle, dashed: false };
        (0..seen - skipped).map(|at| (skipped + at, look(at))).collect()
    }

    fn legend(&self) -> Vec<LegendEntry> {
        let entry = |sample, label: String| LegendEntry { sample, label, note: None };
        let name = |seen| match seen {
            0 => "before".to_owned(),
            1 => "1 answer".to_owned(),
            _ => format!("{seen} answers"),
        };
        let dots = self.looks().into_iter();
        let mut legend: Vec<LegendEntry> =
            dots.map(|(seen, look)| entry(Swatch::Dot(look), name(self.ensemble.seen()[seen]))).collect();
        legend.push(entry(Swatch::Line(MASTERED), "mastery".to_owned()));
        legend
    }

    fn svg(&self, title: &str) -> Result<String> {
        let legend = self.legend();
        let width = WIDTH as i32 - 2 * EDGE;
        let top = LEGEND + legend::height_across(&legend, width) + 50;
        let bottom = top + ROW * self.skills.len() as i32;
        let names: Vec<String> = self
            .skills
            .iter()
            .map(|skill| raster::shorten(&clean(&self.ensemble.skills()[*skill]), TICK, LONGEST_SKILL))
            .collect();
        let widest = names.iter().map(|name| raster::text_width(name, TICK)).max().unwrap_or(0);
        let right = EDGE + width - if self.is_known() { TRUTH } else { 0 };
        let y = Axis { ticks: Vec::new(), ..Axis::groups("", names.iter().cloned()) };
        let x = Axis::linear("predicted success (%)", 0.0, 100.0);
        let frame = Frame { left: EDGE + widest + 24, top, right, bottom, x: &x, y: &y };
        let chips = bottom + AXIS + 40;
        let lines = self.answers.len().div_ceil(CHIPS).max(1) as i32;
        canvas::svg(WIDTH, (chips + lines * (CHIP.1 + BETWEEN) + EDGE) as u32, |canvas| {
            canvas.text(&raster::shorten(title, TITLE, width), (EDGE, 52), TITLE, HPos::Left)?;
            canvas.text(
                &raster::shorten(&self.subtitle(), SUBTITLE, width),
                (EDGE, 106),
                SUBTITLE,
                HPos::Left,
            )?;
            legend::draw_across(&legend, canvas, (EDGE, LEGEND), width)?;
            self.draw_rows(canvas, &frame, &names)?;
            let panel = Panel { heading: None, marks: self.marks() };
            panel.draw(canvas, &frame, false, &legend)?;
            let middle = ((frame.left + right) / 2, bottom + 88);
            canvas.text(&x.label, middle, LABEL, HPos::Center)?;
            canvas.text("the answers seen, from the first:", (EDGE, bottom + AXIS), SUBTITLE, HPos::Left)?;
            self.draw_answers(canvas, chips)
        })
    }

    fn subtitle(&self) -> String {
        let profile = &self.ensemble.students()[self.student];
        format!(
            "{}: {}, of whose answers {:.0} % are right; before adaptation and after so many answers",
            self.ensemble.method,
            clean(&profile.student),
            100.0 * profile.right
        )
    }

    /// Names at the left, what is true at the right, and lines between rows.
    fn draw_rows(&self, canvas: &Canvas, frame: &Frame, names: &[String]) -> Result<()> {
        for ((row, skill), name) in (0..).zip(&self.skills).zip(names) {
            let middle = frame.top + ROW * row + ROW / 2;
            canvas.text(name, (frame.left - 16, middle), TICK, HPos::Right)?;
            canvas.line(
                &[(frame.left, frame.top + ROW * row), (frame.right, frame.top + ROW * row)],
                GRID,
                2,
            )?;
            if let Some(mastered) = self.ensemble.mastered(self.student, *skill) {
                let truth = if mastered { "mastered" } else { "not mastered" };
                canvas.text(truth, (frame.right + 24, middle), TICK, HPos::Left)?;
            }
        }
        if self.is_known() {
            let look = Type { color: GREY, ..TICK };
            canvas.text("the truth", (frame.right + 24, frame.top - 24), look, HPos::Left)?;
        }
        Ok(())
    }

    /// Mastery, and of each skill a point for each number of answers seen, one below the other, with its interval.
    fn marks(&self) -> Vec<Mark> {
        let (looks, rows) = (self.looks(), self.skills.len());
        let mastery = 100.0 * MASTERY;
        let mut marks = vec![Mark::Line(MASTERED, vec![(mastery, 0.0), (mastery, rows as f64)])];
        for (row, skill) in self.skills.iter().enumerate() {
            for (at, (seen, look)) in looks.iter().enumerate() {
                let share = (at as f64 + 0.5) / looks.len() as f64;
                let y = (rows - row) as f64 - (0.1 + 0.8 * share);
                let Estimate { mean, interval } = self.ensemble.success(self.student, *seen, *skill);
                let line =
                    |(low, high): (f64, f64)| Mark::Line(*look, vec![(100.0 * low, y), (100.0 * high, y)]);
                marks.extend(interval.map(line));
                marks.push(Mark::Dots(*look, vec![(100.0 * mean, y)]));
            }
        }
        marks
    }

    /// The answers seen, each a field with its item.
    fn draw_answers(&self, canvas: &Canvas, top: i32) -> Result<()> {
        for (place, (item, right)) in (0..).zip(self.answers) {
            let left = EDGE + place % CHIPS as i32 * (CHIP.0 + BETWEEN);
            let top = top + place / CHIPS as i32 * (CHIP.1 + BETWEEN);
            let (color, verdict) = if *right { (RIGHT, "✓ right") } else { (WRONG, "✗ wrong") };
            fill(canvas, color, (left, top), (left + CHIP.0, top + CHIP.1))?;
            let item = raster::shorten(&clean(item), SMALL, CHIP.0 - 16);
            let middle = left + CHIP.0 / 2;
            canvas.text(
                &item,
                (middle, top + CHIP.1 / 2 - 17),
                Type { bold: true, ..SMALL },
                HPos::Center,
            )?;
            canvas.text(verdict, (middle, top + CHIP.1 / 2 + 17), SMALL, HPos::Center)?;
        }
        Ok(())
    }
}

/// A name from a file, without what must not stand in a drawing: characters that are no text in XML.
fn clean(name: &str) -> String {
    let is_text = |c: &char| !c.is_control() && !['\u{fffe}', '\u{ffff}'].contains(c);
    name.chars().filter(is_text).collect()
}
