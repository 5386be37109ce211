//! Products of small matrices, on the widest vectors that the processor has.
//!
//! Matrices are stored row by row, each row filled up with zeros to whole vectors.

use pulp::{NullaryFnOnce, Simd};

/// A left factor: where its element of a row and a place along the sum is.
#[derive(Clone, Copy)]
pub struct Left<'a> {
    values: &'a [f32],
    /// From a row to the next.
    row: usize,
    /// From a place along the sum to the next.
    along: usize,
}

impl<'a> Left<'a> {
    /// A matrix with rows of so many values, filled up.
    pub fn rows(values: &'a [f32], width: usize) -> Self {
        Self { values, row: width, along: 1 }
    }

    /// The transpose of such a matrix.
    pub fn columns(values: &'a [f32], width: usize) -> Self {
        Self { values, row: 1, along: width }
    }
}

/// How many numbers a row of so many takes, filled up to whole vectors.
pub fn filled<S: Simd>(count: usize) -> usize {
    count.next_multiple_of(S::F32_LANES)
}

/// `out += scale * left * right`.
pub struct AddProduct<'a, S> {
    pub simd: S,
    /// `[rows, width]`.
    pub out: &'a mut [f32],
    pub scale: f32,
    /// `[rows, depth]`.
    pub left: Left<'a>,
    /// `[depth, width]`.
    pub right: &'a [f32],
    /// Rows, depth and width; the width is a filled up one.
    pub sizes: [usize; 3],
}

impl<S: Simd> AddProduct<'_, S> {
    /// Does it.
    pub fn run(self) {
        self.simd.vectorize(self);
    }
}

impl<S: Simd> NullaryFnOnce for AddProduct<'_, S> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { simd, out, scale, left, right, sizes: [rows, depth, width] } = self;
        let vectors = width / S::F32_LANES;
        let right = &S::as_simd_f32s(right).0[..depth * vectors];
        let out = &mut S::as_mut_simd_f32s(out).0[..rows * vectors];
        let mut row = 0;
        while row < rows {
            let left = Left { values: &left.values[row * left.row..], ..left };
            let count = height(rows - row);
            let out = &mut out[row * vectors..][..count * vectors];
            let mut from = 0;
            while from < vectors {
                let columns = [from, vectors];
                from += match (count, vectors - from) {
                    (8, 3..) => block::<S, 8, 3>(simd, out, scale, left, right, columns),
                    (8, _) => block::<S, 8, 1>(simd, out, scale, left, right, columns),
                    (5, 3..) => block::<S, 5, 3>(simd, out, scale, left, right, columns),
                    (5, _) => block::<S, 5, 1>(simd, out, scale, left, right, columns),
                    (_, 3..) => block::<S, 1, 3>(simd, out, scale, left, right, columns),
                    (_, _) => block::<S, 1, 1>(simd, out, scale, left, right, columns),
                };
            }
            row += count;
        }
    }
}

/// How many rows are taken next of so many: as many as registers hold, and few of them alone.
fn height(rows: usize) -> usize {
    match rows {
        10 => 5,
        8.. => 8,
        5.. => 5,
        _ => 1,
    }
}

/// R rows of C vectors; gives C.
#[inline(always)]
fn block<S: Simd, const R: usize, const C: usize>(
    simd: S,
    out: &mut [S::f32s],
    scale: f32,
    left: Left,
    right: &[S::f32s],
    [from, vectors]: [usize; 2],
) -> usize {
    let mut sums = [[simd.splat_f32s(0.0); C]; R];
    for (k, right) in right.chunks_exact(vectors).enumerate() {
        let right: &[S::f32s; C] = right[from..from + C].try_into().expect("C vectors");
        for (r, sums) in sums.iter_mut().enumerate() {
            let left = simd.splat_f32s(left.values[r * left.row + k * left.along]);
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum = simd.mul_add_e_f32s(left, *right, *sum);
            }
        }
    }
    let scale = simd.splat_f32s(scale);
    for (out, sums) in out.chunks_exact_mut(vectors).zip(&sums) {
        for (out, sum) in out[from..from + C].iter_mut().zip(sums) {
            *out = simd.mul_add_e_f32s(scale, *sum, *out);
        }
    }
    C
}

/// `out[r][s] = a[r] . b[s] + add`.
pub struct InnerProducts<'a, S> {
    pub simd: S,
    /// `[R, S]`, not filled up.
    pub out: &'a mut [f32],
    /// `[R, width]`.
    pub a: &'a [f32],
    /// `[S, width]`.
    pub b: &'a [f32],
    /// Filled up.
    pub width: usize,
    pub add: f32,
}

impl<S: Simd> InnerProducts<'_, S> {
    /// Does it.
    pub fn run(self) {
        self.simd.vectorize(self);
    }
}

impl<S: Simd> NullaryFnOnce for InnerProducts<'_, S> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { simd, out, a, b, width, add } = self;
        let vectors = width / S::F32_LANES;
        let (a, b) = (S::as_simd_f32s(a).0, S::as_simd_f32s(b).0);
        let columns = b.len() / vectors;
        for (a, out) in a.chunks_exact(vectors).zip(out.chunks_exact_mut(columns)) {
            for (b, out) in b.chunks_exact(vectors).zip(out) {
                let mut sum = simd.mul_f32s(a[0], b[0]);
                for (a, b) in a[1..].iter().zip(&b[1..]) {
                    sum = simd.mul_add_e_f32s(*a, *b, sum);
                }
                *out = simd.reduce_sum_f32s(sum) + add;
            }
        }
    }
}
