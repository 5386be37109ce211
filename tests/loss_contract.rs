//! What holds for every registered loss.

use quickstudy::loss::{self, Loss, per_task};
use tch::{Device, Kind, Tensor};

const SHAPE: [i64; 3] = [2, 5, 3];

fn wave(shape: &[i64], frequency: f64) -> Tensor {
    let at = Tensor::arange(shape.iter().product::<i64>(), (Kind::Double, Device::Cpu));
    ((at + 1.0) * frequency).sin().reshape(shape)
}

/// Outputs `[T, R, O]`.
fn outputs() -> Tensor {
    wave(&SHAPE, 12.9898) * 3.0
}

/// Targets that every loss of their kind takes: labels, or zeros and ones.
fn targets(loss: &dyn Loss) -> Tensor {
    match loss.name() {
        "cross_entropy" => Tensor::arange(SHAPE[0] * SHAPE[1], (Kind::Int64, Device::Cpu))
            .remainder(SHAPE[2])
            .reshape(&SHAPE[..2]),
        _ => wave(&SHAPE, 1.7).gt(0.0).to_kind(Kind::Double),
    }
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.to_kind(Kind::Float).flatten(0, -1)).expect("a vector")
}

fn far(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.size(), b.size());
    (a - b).abs().max().double_value(&[])
}

#[test]
fn names_are_unique() {
    for (place, loss) in loss::ALL.iter().enumerate() {
        assert!(loss::ALL[..place].iter().all(|other| other.name() != loss.name()), "{loss:?}");
    }
}

#[test]
fn slope_and_curvature_are_the_derivatives() {
    for loss in loss::ALL {
        let (z, y) = (outputs().set_requires_grad(true), targets(loss));
        let of_rows = loss.of_rows(&z, &y);
        assert_eq!(of_rows.size(), SHAPE[..2], "{loss:?}");
        assert_eq!(of_rows.kind(), Kind::Double, "{loss:?}");
        let expected = loss.expected(&y, SHAPE[2], &z);
        let linked = loss.link(&z.detach());
        assert!(far(&linked, &loss.link(&loss.unlink(&linked))) < 1e-6, "{loss:?}: the link has a way back");
        let slope = Tensor::run_backward(&[of_rows.sum(None::<Kind>)], &[&z], true, true).remove(0);
        assert!(far(&slope, &loss.slope(&linked, &expected)) < 1e-12, "{loss:?}");
        let direction = wave(&SHAPE, 2.3);
        let along = (&slope * &direction).sum(None::<Kind>);
        let curvature = Tensor::run_backward(&[along], &[&z], false, false).remove(0);
        assert!(curvature.abs().max().double_value(&[]) > 0.0, "{loss:?}");
        assert!(far(&curvature, &loss.curvature(&linked, &direction)) < 1e-12, "{loss:?}");
    }
}

#[test]
fn where_what_is_expected_is_answered_the_slope_is_zero() {
    for loss in loss::ALL {
        let expected = loss.expected(&targets(loss), SHAPE[2], &outputs());
        assert_eq!(expected.size(), SHAPE, "{loss:?}");
        assert_eq!(loss.slope(&expected, &expected).abs().max().double_value(&[]), 0.0, "{loss:?}");
    }
}

#[test]
fn a_row_on_plain_numbers_is_the_row_of_a_tensor() {
    for loss in loss::ALL {
        let (z, y) = (outputs(), targets(loss));
        let expected = loss.expected(&y, SHAPE[2], &z);
        let (linked, direction) = (loss.link(&z), wave(&SHAPE, 2.3));
        let whole =
            [&linked, &loss.slope(&linked, &expected), &loss.curvature(&linked, &direction)].map(numbers);
        let losses = numbers(&loss.of_rows(&z, &y));
        let width = SHAPE[2] as usize;
        let [z, expected, direction] = [&z, &expected, &direction].map(numbers);
        for (row, of_row) in losses.iter().enumerate() {
            let part = |values: &[f32]| values[row * width..][..width].to_vec();
            let mut made = [(); 3].map(|()| vec![f32::NAN; width]);
            let value = loss.of_row(&part(&z), &part(&expected), &mut made[0]);
            let linked = made[0].clone();
            loss.slope_of_row(&linked, &part(&expected), &mut made[1]);
            loss.curvature_of_row(&linked, &part(&direction), &mut made[2]);
            assert!((value - of_row).abs() < 1e-5, "{loss:?}: {value}, not {of_row}");
            for (made, whole) in made.iter().zip(&whole) {
                let near = made.iter().zip(part(whole)).all(|(a, b)| (a - b).abs() < 1e-5);
                assert!(near, "{loss:?}, row {row}: {made:?}, not {:?}", part(whole));
            }
        }
    }
}

#[test]
fn large_outputs_have_a_finite_loss() {
    for loss in loss::ALL {
        for size in [1e2, 1e4] {
            let z = (outputs().sign() * size).to_kind(Kind::Float);
            let y = targets(loss);
            let expected = loss.expected(&y, SHAPE[2], &z);
            let linked = loss.link(&z);
            let of_rows = loss.of_rows(&z, &y);
            let curvature = loss.curvature(&linked, &z.ones_like());
            for made in [&of_rows, &linked, &loss.slope(&linked, &expected), &curvature] {
                assert!(numbers(made).iter().all(|value| value.is_finite()), "{loss:?} of {size}");
            }
            let width = SHAPE[2] as usize;
            let (z, expected) = (numbers(&z), numbers(&expected));
            for (row, whole) in numbers(&of_rows).into_iter().enumerate() {
                let mut linked = vec![f32::NAN; width];
                let [z, expected] = [&z, &expected].map(|values| &values[row * width..][..width]);
                let value = loss.of_row(z, expected, &mut linked);
                assert!(
                    (value - whole).abs() <= 1e-5 * whole.abs() + 1e-6 * size as f32,
                    "{loss:?}: {value}, not {whole}"
                );
                assert!(linked.iter().all(|value| value.is_finite()), "{loss:?} of {size}");
            }
        }
    }
}

#[test]
fn a_task_has_the_mean_of_its_rows_and_none_of_those_without_weight() {
    for loss in loss::ALL {
        let (z, y) = (outputs(), targets(loss));
        let rows = loss.of_rows(&z, &y);
        let mean = per_task(loss, &z, &y, None);
        assert!(far(&mean, &rows.mean_dim(1, false, None)) < 1e-12, "{loss:?}");
        let last = SHAPE[1] - 1;
        let weight = Tensor::full([SHAPE[0], SHAPE[1]], 1.0 / last as f64, (Kind::Double, Device::Cpu));
        let _ = weight.narrow(1, last, 1).zero_();
        let without = per_task(loss, &z.narrow(1, 0, last), &y.narrow(1, 0, last), None);
        assert!(far(&per_task(loss, &z, &y, Some(&weight)), &without) < 1e-12, "{loss:?}");
    }
}
