//! From rows in a file's order to answers by student.

use anyhow::Result;

use super::{Answers, cells::Orders, gather::Gather};
use crate::misuse::misuse;

impl Gather {
    /// Sorts the rows by student and order, merges those that repeat an answer, and says what was counted on the way.
    ///
    /// # Errors
    /// A `Misuse`: there are no answers, or two that contradict each other.
    pub fn finish(mut self) -> Result<Answers> {
        let mut notes: Vec<String> =
            self.left_out.iter().map(|(why, rows)| format!("{rows} rows were left out: {why}")).collect();
        if self.student.is_empty() {
            let left_out = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
            misuse!("{} holds no answers{left_out}: expected a row for each answer", self.file);
        }
        let total = self.student.len();
        let (starts, rows) = self.in_order()?;
        if rows.len() < total {
            let merged = total - rows.len();
            notes.push(format!(
                "{merged} of {total} rows ({}) repeated an answer, most often for another of the problem's skills, and were merged with it",
                percent(merged, total)
            ));
        }
        (self.student, self.order, self.line) = (Vec::new(), Orders::Whole(Vec::new()), Vec::new());
        if self.without_skill > 0 {
            notes.push(format!("{} rows name no skill", self.without_skill));
        }
        let (skills, skill_place) = self.titled();
        let (place, problems) = (self.problems.places(), self.problems.sorted());
        let problem: Vec<u32> = rows.iter().map(|&row| place[self.problem[row as usize] as usize]).collect();
        self.problem = Vec::new();
        let correct = rows.iter().map(|&row| self.correct[row as usize]).collect();
        let time = picked(std::mem::take(&mut self.time), &rows);
        let latency = picked(std::mem::take(&mut self.latency), &rows);
        notes.extend(practice(&starts, &problem, problems.len()));
        notes.extend(backwards(&starts, &time));

        let mut skills_of = vec![Vec::new(); problems.len()];
        for (problem, skill) in self.pairs {
            skills_of[place[problem as usize] as usize].push(skill_place[skill as usize]);
        }
        skills_of.iter_mut().for_each(|skills| skills.sort_unstable());
        let (place, students) = (self.students.places(), self.students.sorted());
        let mut groups = Vec::new();
        if self.groups.len() > 0 {
            groups = vec![None; students.len()];
            for (student, group) in self.group_of.iter().enumerate() {
                groups[place[student] as usize] = group.map(|(group, _)| self.groups.name(group).to_owned());
            }
        }
        Ok(Answers {
            students,
            groups,
            problems,
            skills,
            skills_of,
            starts,
            problem,
            correct,
            time,
            latency,
            notes,
            digest: [0; 32],
        })
    }

    /// The names of skills, which are their titles where they have one, in the order of their bytes, and the place there of each number.
    fn titled(&self) -> (Vec<String>, Vec<u32>) {
        let mut of_title = vec![0; self.titles.len()];
        self.title_of.iter().flatten().for_each(|&title| of_title[title as usize] += 1);
        let name = |skill: u32| {
            let name = self.skills.name(skill);
            match self.title_of.get(skill as usize).copied().flatten() {
                None => name.to_owned(),
                Some(title) if of_title[title as usize] == 1 => self.titles.name(title).to_owned(),
                Some(title) => format!("{} ({name})", self.titles.name(title)),
            }
        };
        let mut names: Vec<(String, u32)> =
            (0..self.skills.len() as u32).map(|skill| (name(skill), skill)).collect();
        names.sort_unstable();
        let mut places = vec![0; names.len()];
        for (place, (_, skill)) in (0..).zip(&names) {
            places[*skill as usize] = place;
        }
        (names.into_iter().map(|(name, _)| name).collect(), places)
    }

    /// The numbers of the rows that are kept, by student and order, and where each student's begin.
    fn in_order(&mut self) -> Result<(Vec<usize>, Vec<u32>)> {
        let place = self.students.places();
        let mut starts = vec![0; place.len() + 1];
        self.student.iter().for_each(|&student| starts[place[student as usize] as usize + 1] += 1);
        for student in 0..place.len() {
            starts[student + 1] += starts[student];
        }
        let mut next = starts.clone();
        let mut rows = vec![0; self.student.len()];
        for (row, &student) in (0..).zip(&self.student) {
            let next = &mut next[place[student as usize] as usize];
            rows[*next] = row;
            *next += 1;
        }
        let mut kept = 0;
        for student in 0..place.len() {
            let (from, to) = (starts[student], starts[student + 1]);
            rows[from..to].sort_by(|&a, &b| self.order.compare(a, b));
            starts[student] = kept;
            for at in from..to {
                if at == from || !self.repeats(rows[kept - 1], rows[at])? {
                    rows[kept] = rows[at];
                    kept += 1;
                }
            }
        }
        starts[place.len()] = kept;
        rows.truncate(kept);
        Ok((starts, rows))
    }

    /// Whether a row of a student repeats the one before.
    fn repeats(&self, before: u32, row: u32) -> Result<bool> {
        if self.order.compare(before, row).is_ne() {
            return Ok(false);
        }
        let of = |row: u32| (self.problem[row as usize], self.correct[row as usize]);
        if of(before) == of(row) {
            return Ok(true);
        }
        if self.order_is_time {
            return Ok(false);
        }
        let mut both = [before, row].map(|row| {
            let (problem, correct) = of(row);
            (
                self.line[row as usize],
                format!("problem {}, correct {}", self.problems.name(problem), u8::from(correct)),
            )
        });
        both.sort();
        let [(first, one), (second, other)] = both;
        misuse!(
            "{}, lines {first} and {second}: two answers of student {} with order {}: {one}; {other}. Give each answer an order of its own, or leave the column out: then the file's order counts",
            self.file,
            self.students.name(self.student[row as usize]),
            self.order.show(row),
        )
    }
}

/// A column in another order.
fn picked<T: Copy>(column: Vec<T>, rows: &[u32]) -> Vec<T> {
    if column.is_empty() { column } else { rows.iter().map(|&row| column[row as usize]).collect() }
}

/// Says how many answers are to problems that the student has answered before.
fn practice(starts: &[usize], problem: &[u32], problems: usize) -> Option<String> {
    let mut last = vec![usize::MAX; problems];
    let mut again = 0;
    for (student, bounds) in starts.windows(2).enumerate() {
        for &problem in &problem[bounds[0]..bounds[1]] {
            again += usize::from(std::mem::replace(&mut last[problem as usize], student) == student);
        }
    }
    let share = percent(again, problem.len());
    (again > 0).then(|| {
        format!("{again} answers ({share}) are to a problem that the student had answered before; they are kept, as practice")
    })
}

/// Says how many answers are earlier than the one before.
fn backwards(starts: &[usize], time: &[f64]) -> Option<String> {
    let times = starts.windows(2).filter_map(|bounds| time.get(bounds[0]..bounds[1]));
    let earlier: usize = times.map(|times| times.windows(2).filter(|pair| pair[1] < pair[0]).count()).sum();
    (earlier > 0).then(|| {
        format!("{earlier} answers have an earlier time than the one before them by order; order counts")
    })
}

/// A share in per cent.
fn percent(part: usize, of: usize) -> String {
    format!("{:.1} %", 100.0 * part as f64 / of as f64)
}
