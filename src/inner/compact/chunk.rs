//! The rows of tasks as plain numbers.

use pulp::Simd;

use super::product::filled;

/// Rows of all tasks, one task after the other.
pub struct Chunk<'a> {
    /// `[T, S+Q, D]`.
    pub x: &'a [f32],
    /// `[T, S+Q, O]`.
    pub y: &'a [f32],
    /// S.
    pub support: usize,
    /// Q.
    pub queries: usize,
}

/// The support rows or the queries of all tasks.
pub struct TaskRows {
    /// `[T*R, D]`, each row filled up.
    pub x: Vec<f32>,
    /// `[T*R, O]`, not filled up.
    pub y: Vec<f32>,
    /// R, those of a task.
    pub of_task: usize,
}

impl Chunk<'_> {
    /// T, for so many inputs.
    pub fn tasks(&self, inputs: usize) -> usize {
        self.x.len() / inputs / (self.support + self.queries)
    }

    /// The support rows.
    pub fn support_rows<S: Simd>(&self, _: S, sizes: &[usize]) -> TaskRows {
        self.rows::<S>(sizes, 0, self.support)
    }

    /// The queries.
    pub fn query_rows<S: Simd>(&self, _: S, sizes: &[usize]) -> TaskRows {
        self.rows::<S>(sizes, self.support, self.queries)
    }

    fn rows<S: Simd>(&self, sizes: &[usize], from: usize, of_task: usize) -> TaskRows {
        let (inputs, outputs) = (sizes[0], sizes[sizes.len() - 1]);
        let all = self.support + self.queries;
        let mut rows = TaskRows { x: Vec::new(), y: Vec::new(), of_task };
        let more = filled::<S>(inputs) - inputs;
        for (x, y) in self.x.chunks_exact(all * inputs).zip(self.y.chunks_exact(all * outputs)) {
            for row in x[from * inputs..][..of_task * inputs].chunks_exact(inputs) {
                rows.x.extend_from_slice(row);
                rows.x.extend(std::iter::repeat_n(0.0, more));
            }
            rows.y.extend_from_slice(&y[from * outputs..][..of_task * outputs]);
        }
        rows
    }
}
