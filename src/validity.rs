//! Checks of numbers from experiment files that garde's ranges cannot express, because NaN passes every comparison.

/// A step size or scale: finite and above 0.
pub fn positive(value: &f64, _: &()) -> garde::Result {
    if value.is_finite() && *value > 0.0 {
        Ok(())
    } else {
        Err(garde::Error::new(format!("must be a finite number above 0, not {value}")))
    }
}

/// An amount that may be zero: finite and not negative.
pub fn not_negative(value: &f64, _: &()) -> garde::Result {
    if value.is_finite() && *value >= 0.0 {
        Ok(())
    } else {
        Err(garde::Error::new(format!("must be a finite number, 0 or above, not {value}")))
    }
}

/// A decay rate of a moving average: 0 or above and below 1.
pub fn decay(value: &f64, _: &()) -> garde::Result {
    if (0.0..1.0).contains(value) {
        Ok(())
    } else {
        Err(garde::Error::new(format!("must be at least 0 and below 1, not {value}")))
    }
}

/// A part of a whole: 0 to 1.
pub fn share(value: &f64, _: &()) -> garde::Result {
    if (0.0..=1.0).contains(value) {
        Ok(())
    } else {
        Err(garde::Error::new(format!("must be 0 to 1, not {value}")))
    }
}
