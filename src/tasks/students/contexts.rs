//! Who is alike: the adapted contexts of students on a map, and in groups.

use rand::RngExt;
use tch::{Device, Kind, Tensor};

use crate::random::{Purpose, stream};

/// Groups of students.
const GROUPS: usize = 4;

/// Where students stand on the two axes along which their contexts `[U, C]` differ most (principal components).
pub fn places(contexts: &Tensor) -> Vec<[f32; 2]> {
    let centred = contexts.to_kind(Kind::Double) - contexts.to_kind(Kind::Double).mean_dim(0, true, None);
    let (_, _, axes) = centred.svd(true, true); // axes [C, min(U, C)]
    let two = axes.size()[1].min(2);
    let axes = axes.narrow(1, 0, two);
    // The sign of an axis is anyone's: its largest part is positive.
    let largest = axes.gather(0, &axes.abs().argmax(0, true), false);
    let values = rows(&centred.matmul(&(axes * largest.sign())));
    values.iter().map(|row| [0, 1].map(|axis| row.get(axis).map_or(0.0, |value| *value as f32))).collect()
}

/// The group of each student by her context `[U, C]`: k-means (Lloyd 1982), from starts far apart (Arthur & Vassilvitskii 2007). Groups are
/// numbered by size, the largest first.
pub fn clusters(contexts: &Tensor) -> Vec<usize> {
    let points = rows(contexts);
    let mut draw = stream(0, Purpose::Split, 0);
    let mut centres: Vec<Vec<f64>> = points.first().cloned().into_iter().collect();
    while centres.len() < GROUPS.min(points.len()) {
        let far: Vec<f64> = points.iter().map(|point| nearest(point, &centres).1).collect();
        let mut left = draw.random::<f64>() * far.iter().sum::<f64>();
        let chosen = far.iter().position(|distance| {
            left -= distance;
            left <= 0.0
        });
        centres.push(points[chosen.unwrap_or(points.len() - 1)].clone());
    }
    let mut groups = vec![0; points.len()];
    for _ in 0..100 {
        let next: Vec<usize> = points.iter().map(|point| nearest(point, &centres).0).collect();
        let settled = next == groups;
        groups = next;
        if settled {
            break;
        }
        for (group, centre) in centres.iter_mut().enumerate() {
            let mine: Vec<&Vec<f64>> =
                points.iter().zip(&groups).filter(|(_, of)| **of == group).map(|(point, _)| point).collect();
            for (axis, value) in centre.iter_mut().enumerate().filter(|_| !mine.is_empty()) {
                *value = mine.iter().map(|point| point[axis]).sum::<f64>() / mine.len() as f64;
            }
        }
    }
    let size = |group: usize| groups.iter().filter(|of| **of == group).count();
    let mut order: Vec<usize> = (0..centres.len()).collect();
    order.sort_by_key(|group| (std::cmp::Reverse(size(*group)), *group));
    groups.iter().map(|group| order.iter().position(|of| of == group).unwrap_or(0)).collect()
}

/// The nearest centre, and the squared distance to it.
fn nearest(point: &[f64], centres: &[Vec<f64>]) -> (usize, f64) {
    let distance = |centre: &Vec<f64>| point.iter().zip(centre).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    let each = centres.iter().map(distance).enumerate();
    each.fold((0, f64::INFINITY), |best, next| if next.1 < best.1 { next } else { best })
}

/// The rows of a matrix.
fn rows(matrix: &Tensor) -> Vec<Vec<f64>> {
    let width = matrix.size().get(1).map_or(1, |width| (*width).max(1)) as usize;
    let flat = matrix.to_kind(Kind::Double).to_device(Device::Cpu).contiguous().flatten(0, -1);
    Vec::<f64>::try_from(flat).unwrap_or_default().chunks(width).map(<[f64]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[[f64; 3]]) -> Tensor {
        Tensor::from_slice(&values.concat()).reshape([-1, 3])
    }

    #[test]
    fn the_map_keeps_distances_in_a_plane() {
        let points = points(&[[0.0, 0.0, 5.0], [3.0, 0.0, 5.0], [0.0, 1.0, 5.0], [3.0, 1.0, 5.0]]);
        let places = places(&points);
        let distance = |a: [f32; 2], b: [f32; 2]| ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)).sqrt();
        assert!((distance(places[0], places[1]) - 3.0).abs() < 1e-5);
        assert!((distance(places[0], places[2]) - 1.0).abs() < 1e-5);
        assert!(
            (places[1][0] - places[0][0] - 3.0).abs() < 1e-5,
            "the first axis is the longer one: {places:?}"
        );
    }

    #[test]
    fn students_far_from_each_other_are_in_different_groups() {
        let near = |x: f64, i: usize| [x + 0.01 * i as f64, -x, 0.0];
        let all: Vec<[f64; 3]> =
            [0.0, 0.0, 10.0, 20.0, 30.0].iter().flat_map(|x| (0..5).map(|i| near(*x, i))).collect();
        let groups = clusters(&points(&all));
        assert!(groups[..10].iter().all(|group| *group == 0), "the largest is the first: {groups:?}");
        let others: Vec<usize> = (2..5).map(|block| groups[5 * block]).collect();
        assert!((1..=3).all(|group| others.contains(&group)), "{groups:?}");
        assert!(groups.chunks(5).all(|block| block.iter().all(|group| group == &block[0])));
        assert_eq!(clusters(&points(&[[1.0, 2.0, 3.0]])), [0]);
    }
}
