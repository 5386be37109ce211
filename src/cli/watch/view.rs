//! What `quickstudy watch` shows: learning curves above a table of runs. The same picture, without colours, is the plain text.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    symbols::Marker,
    text::{Line, Span},
    widgets::{Axis, Chart, Dataset, GraphType, Paragraph, Row, Table, Widget},
};

use super::super::sweep::clock;
use crate::{
    measures::{LOSS, Unit},
    runs::{Listed, RunStatus, Status},
};

/// Colours that are told apart on light and on dark terminals.
const COLORS: [Color; 6] =
    [Color::Blue, Color::Red, Color::Green, Color::Magenta, Color::Cyan, Color::Yellow];
/// Below this width the table leaves out what matters less.
const NARROW: u16 = 70;
/// Height of the curves in plain text.
const CHART: u16 = 14;

/// A picture of a results folder.
pub struct View<'a> {
    pub listed: &'a Listed,
    pub color: bool,
}

impl View<'_> {
    /// The picture as text of this width, without colours.
    pub fn text(&self, width: u16) -> String {
        let runs = u16::try_from(self.listed.runs.len()).unwrap_or(u16::MAX).min(10_000);
        let chart = if self.has_curves() { CHART } else { 0 };
        let area = Rect::new(0, 0, width, 1 + chart + 1 + runs);
        let mut buffer = Buffer::empty(area);
        self.draw_parts(area, chart, &mut buffer);
        let lines = buffer.content().chunks(usize::from(width)).map(|cells| {
            let line: String = cells.iter().map(|cell| cell.symbol()).collect();
            line.trim_end().to_owned() + "\n"
        });
        let reasons = self.reasons().map(|(name, reason)| format!("{name}: {reason}\n"));
        lines.chain(reasons).collect()
    }

    /// Draws the picture for a terminal, with a line that says how to leave.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer) {
        let [main, last] = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(area);
        let runs = u16::try_from(self.listed.runs.len()).unwrap_or(u16::MAX);
        // The curves get what the table leaves, but half of the terminal at least.
        let chart = main.height.saturating_sub(runs.saturating_add(2)).max(main.height / 2);
        self.draw_parts(main, if self.has_curves() { chart } else { 0 }, buffer);
        let reason = self.reasons().next().map(|(name, reason)| format!("   {name}: {reason}"));
        Line::from(format!("q leaves{}", reason.unwrap_or_default())).render(last, buffer);
    }

    fn draw_parts(&self, area: Rect, chart: u16, buffer: &mut Buffer) {
        let heights = [Constraint::Length(1), Constraint::Length(chart), Constraint::Fill(1)];
        let [title, curves, table] = Layout::vertical(heights).areas(area);
        self.draw_title(title, buffer);
        if chart > 0 {
            self.draw_curves(curves, buffer);
        }
        self.draw_table(table, buffer);
    }

    fn draw_title(&self, area: Rect, buffer: &mut Buffer) {
        let listed = self.listed;
        let name = Span::styled(listed.name.clone(), Style::new().add_modifier(Modifier::BOLD));
        let (done, all) = (listed.done(), listed.runs.len());
        let state = format!("  {}  {done}/{all} done  {}", listed.state.name(), clock(listed.seconds));
        Paragraph::new(Line::from(vec![name, Span::raw(state)])).render(area, buffer);
    }

    fn has_curves(&self) -> bool {
        self.listed.runs.iter().any(|run| !run.curve.is_empty())
    }

    /// The letter of a run, by which its curve and its row in the table are told without colours.
    fn letter(place: usize) -> char {
        (b'a'..=b'z').chain(b'A'..=b'Z').nth(place % 52).map_or('a', char::from)
    }

    fn style(&self, place: usize) -> Style {
        if self.color { Style::new().fg(COLORS[place % COLORS.len()]) } else { Style::new() }
    }

    fn draw_curves(&self, area: Rect, buffer: &mut Buffer) {
        let judge = self.listed.judge.unwrap_or(LOSS);
        let curves: Vec<(usize, Vec<(f64, f64)>)> = self
            .listed
            .runs
            .iter()
            .enumerate()
            .map(|(place, run)| {
                (
                    place,
                    run.curve
                        .iter()
                        .map(|&(iteration, value)| (iteration as f64, judge.shown(value)))
                        .collect(),
                )
            })
            .collect();
        let points = || curves.iter().flat_map(|(_, points)| points);
        let last = points().map(|point| point.0).fold(1.0, f64::max);
        let (low, high) = match judge.unit {
            Unit::Percent => {
                let low = points().map(|point| point.1).fold(f64::INFINITY, f64::min).floor();
                (low, points().map(|point| point.1).fold(low + 1.0, f64::max).ceil())
            }
            Unit::Plain => {
                let low = points().map(|point| point.1).fold(f64::INFINITY, f64::min);
                let high = points().map(|point| point.1).fold(low, f64::max);
                (low, if high > low { high } else { low + 1.0 })
            }
        };
        let datasets: Vec<Dataset> = curves
            .iter()
            .map(|(place, points)| {
                let marker = if self.color { Marker::Braille } else { Marker::Custom(Self::letter(*place)) };
                let graph = if self.color { GraphType::Line } else { GraphType::Scatter };
                Dataset::default().marker(marker).graph_type(graph).style(self.style(*place)).data(points)
            })
            .collect();
        let middle = |from: f64, to: f64| format!("{:.0}", (from + to) / 2.0);
        let x =
            Axis::default().bounds([0.0, last]).labels(["0".into(), middle(0.0, last), format!("{last:.0}")]);
        let labels = match judge.unit {
            Unit::Percent => [format!("{low:.0} %"), middle(low, high), format!("{high:.0} %")],
            Unit::Plain => [low, (low + high) / 2.0, high].map(|value| judge.number_beside(value, high)),
        };
        let y = Axis::default().bounds([low, high]).labels(labels);
        let title = Line::from(format!("validation {} over iterations", judge.title));
        let [heading, chart] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        title.render(heading, buffer);
        Chart::new(datasets).x_axis(x).y_axis(y).legend_position(None).render(chart, buffer);
    }

    fn draw_table(&self, area: Rect, buffer: &mut Buffer) {
        let wide = area.width >= NARROW;
        let rows = self.shown(usize::from(area.height.saturating_sub(1))).into_iter().map(|place| {
            let run = &self.listed.runs[place];
            let name = format!("{} {}", Self::letter(place), run.name);
            let state = run.state.name().to_owned();
            let speed = run.speed.map(|speed| format!("{speed:.1}/s")).unwrap_or_default();
            let cells = match wide {
                true => vec![name, state, iterations(run), speed, left(run), best(run)],
                // The time left says that a run is at work.
                false => {
                    let state = Some(left(run)).filter(|left| !left.is_empty()).unwrap_or(state);
                    vec![name, state, share(run), best(run)]
                }
            };
            Row::new(cells).style(self.style(place))
        });
        let (header, widths) = match wide {
            true => (vec!["run", "state", "iteration", "speed", "left", "best"], vec![10, 15, 9, 8, 8]),
            false => (vec!["run", "left", "done", "best"], vec![10, 5, 6]),
        };
        let widths = [Constraint::Fill(1)].into_iter().chain(widths.into_iter().map(Constraint::Length));
        let header = Row::new(header).style(Style::new().add_modifier(Modifier::BOLD));
        Widget::render(Table::new(rows, widths).header(header).column_spacing(1), area, buffer);
    }

    /// The runs for which there is room: those at work first, then those that went wrong, then the others as they come.
    fn shown(&self, room: usize) -> Vec<usize> {
        let runs = &self.listed.runs;
        let mut places: Vec<usize> = (0..runs.len()).collect();
        if places.len() > room {
            places.sort_by_key(|&place| match runs[place].state {
                Status::Running => 0,
                Status::Failed | Status::Damaged => 1,
                _ => 2,
            });
            places.truncate(room);
            places.sort_unstable();
        }
        places
    }

    /// What went wrong.
    fn reasons(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.listed.reason.iter().map(|reason| (self.listed.name.as_str(), reason));
        let runs = self.listed.runs.iter().filter_map(|run| Some((run.name.as_str(), run.reason.as_ref()?)));
        own.chain(runs).map(|(name, reason)| (name, reason.lines().next().unwrap_or_default()))
    }
}

fn iterations(run: &RunStatus) -> String {
    match run.planned {
        Some(planned) if planned > 0 => format!("{}/{planned}", run.iterations),
        _ => run.iterations.to_string(),
    }
}

/// How much of the training is done, where there is no room for more.
fn share(run: &RunStatus) -> String {
    match run.planned {
        Some(planned) if planned > 0 => format!("{} %", 100 * run.iterations / planned),
        _ => run.iterations.to_string(),
    }
}

/// The time that training will still take; what comes after it is the test.
fn left(run: &RunStatus) -> String {
    match run.left {
        _ if run.state == Status::Running && run.planned.is_some_and(|planned| run.iterations >= planned) => {
            "test".into()
        }
        Some(left) => clock(left),
        None => String::new(),
    }
}

fn best(run: &RunStatus) -> String {
    run.best.map_or_else(String::new, |best| best.quantity.text(best.value))
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend};

    use super::*;
    use crate::{
        measures::{self, Quantity},
        runs::{BestValue, Kind, MeasuredOn},
    };

    fn judge() -> Quantity {
        measures::find("accuracy").expect("registered").quantity()
    }

    fn run(name: &str, state: Status, iterations: usize) -> RunStatus {
        RunStatus {
            name: name.into(),
            state,
            reason: (state == Status::Failed).then(|| "no disk\nnor memory".into()),
            iterations,
            planned: Some(400),
            best: Some(BestValue { part: MeasuredOn::Validation, quantity: judge(), value: 0.875 }),
            seconds: 75.0,
            time: None,
            speed: Some(20.0),
            left: (state == Status::Running).then_some(100.0),
            curve: vec![(0, 0.2), (100, 0.6), (200, 0.875)],
        }
    }

    fn listed(runs: Vec<RunStatus>) -> Listed {
        Listed {
            kind: Kind::Experiment,
            judge: Some(judge()),
            name: "small".into(),
            path: "results/small".into(),
            state: Status::Running,
            reason: None,
            best: None,
            seconds: 75.0,
            time: None,
            runs,
        }
    }

    #[test]
    fn forty_columns_hold_what_matters() {
        let listed =
            listed(vec![run("maml-seed0", Status::Running, 200), run("adam-seed0", Status::Failed, 3)]);
        let text = View { listed: &listed, color: false }.text(40);
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert!(text.starts_with("small  running  0/2 done  1:15\n"), "{text}");
        let row = text.lines().find(|line| line.starts_with("a maml")).expect("a row for the run");
        for part in ["maml-seed0", "50 %", "1:40", "87.5 %"] {
            assert!(row.contains(part), "{part} is not in: {row}");
        }
        assert!(text.contains("adam-seed0: no disk\n"), "{text}");
        let wide = View { listed: &listed, color: false }.text(100);
        assert!(wide.contains("200/400") && wide.contains("20.0/s"), "{wide}");
        assert!(wide.contains("88 %") && wide.contains("20 %"), "the axis: {wide}");
    }

    #[test]
    fn any_size_of_terminal_does_and_colours_are_left_out_where_they_are_not_wanted() {
        let many = (0..60).map(|i| run(&format!("m-seed{i}"), Status::Done, 400));
        let last = run("last", Status::Running, 100);
        let listed = listed(many.chain([last]).collect());
        for (width, height) in [(40, 12), (120, 40), (10, 3), (1, 1), (200, 2)] {
            for color in [true, false] {
                let view = View { listed: &listed, color };
                let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
                terminal.draw(|frame| view.draw(frame.area(), frame.buffer_mut())).expect("drawn");
                let buffer = terminal.backend().buffer();
                let colored = buffer.content().iter().any(|cell| cell.fg != Color::Reset);
                assert!(color || !colored, "{width} x {height}");
                if width >= 40 && height >= 12 {
                    assert_eq!(color, colored, "{width} x {height}");
                    let text: String = buffer.content().iter().map(|cell| cell.symbol()).collect();
                    assert!(
                        text.contains("last") && text.contains("q leaves"),
                        "the one at work is shown: {text}"
                    );
                }
            }
        }
    }
}
