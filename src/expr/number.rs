//! Arithmetic that means the same everywhere and cannot leave the range of a double.
//!
//! PostgreSQL raises an error when a result overflows or underflows; SQLite and Rust go on with
//! infinity or zero. So a calculation is only accepted if it can do neither: each stored number
//! that takes part has a bounded magnitude (otherwise it counts as NULL there), and the bounds of
//! the results follow from the operators.

use super::ast::Arithmetic;
use super::ir::Number;

/// Decimal exponent of the largest magnitude that takes part in a calculation; the smallest is its
/// inverse.
const EXPONENT: f64 = 30.0;
/// Decimal digits of a double, rounded up: the lowest bit of a number is at most this far below the
/// number.
const DIGITS: f64 = 16.0;
/// Decimal exponents that leave room to the limits of a double, which are −308 and 308.
const LIMIT: f64 = 300.0;

/// Whether a stored number takes part in calculations.
pub(super) fn usable(number: f64) -> bool {
    number == 0.0 || (1e-30..=1e30).contains(&number.abs())
}

/// Applies an operator to doubles; a division by zero is NULL.
pub(super) fn apply(op: Arithmetic, left: f64, right: f64) -> Option<f64> {
    match op {
        Arithmetic::Add => Some(left + right),
        Arithmetic::Subtract => Some(left - right),
        Arithmetic::Multiply => Some(left * right),
        Arithmetic::Divide => (right != 0.0).then(|| left / right),
        Arithmetic::Remainder => (right != 0.0).then(|| left - right * truncated(left / right)),
    }
}

/// Towards zero, and limited to 64 bits: what SQLite's cast to an integer does.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "saturation is the point"
)]
fn truncated(number: f64) -> f64 {
    (number as i64) as f64
}

/// Marks the fields under `number` as operands of a calculation.
pub(super) fn operand(number: Number) -> Number {
    match number {
        Number::Leaf(leaf) => Number::Factor(leaf),
        Number::Negative(inner) => Number::Negative(Box::new(operand(*inner))),
        Number::Pick(pick) => Number::Pick(pick.map(operand)),
        other => other,
    }
}

/// Whether no step of the calculation can overflow or underflow.
pub(super) fn is_safe(number: &Number) -> bool {
    bounds(number).is_some()
}

/// Decimal exponents: the magnitude is at most 10^`high`, and the number is a multiple of some
/// power of two that is at least 10^`grid`, so it is zero or at least that large.
#[derive(Clone, Copy)]
struct Bounds {
    high: f64,
    grid: f64,
}

fn bounds(number: &Number) -> Option<Bounds> {
    let bounds = match number {
        Number::Literal(value) => literal(*value),
        Number::Leaf(_) | Number::Factor(_) | Number::Path(_) => Bounds {
            high: EXPONENT,
            grid: -EXPONENT - DIGITS,
        },
        Number::Negative(inner) | Number::Abs(inner) => bounds(inner)?,
        Number::Binary { op, left, right } => combine(*op, bounds(left)?, bounds(right)?)?,
        Number::Pick(pick) => {
            let mut widest = Bounds {
                high: 0.0,
                grid: 0.0,
            };
            for part in pick.parts() {
                let Bounds { high, grid } = bounds(part)?;
                widest = Bounds {
                    high: widest.high.max(high),
                    grid: widest.grid.min(grid),
                };
            }
            widest
        }
        // A sum of many factors at most.
        Number::Query(_) => Bounds {
            high: EXPONENT + 10.0,
            grid: -EXPONENT - DIGITS,
        },
        Number::Length(_) => Bounds {
            high: 10.0,
            grid: 0.0,
        },
        Number::Floor(inner) => Bounds {
            high: bounds(inner)?.high.max(0.0) + 1.0,
            grid: 0.0,
        },
        Number::Millis(_) => Bounds {
            high: 15.0,
            grid: 0.0,
        },
    };
    (bounds.high <= LIMIT && bounds.grid >= -LIMIT).then_some(bounds)
}

fn literal(value: f64) -> Bounds {
    let magnitude = value.abs();
    if magnitude == 0.0 {
        return Bounds {
            high: 0.0,
            grid: 0.0,
        };
    }
    let grid = if value.fract() == 0.0 {
        0.0
    } else {
        magnitude.log10().floor() - DIGITS
    };
    Bounds {
        high: magnitude.log10().ceil(),
        grid,
    }
}

fn combine(op: Arithmetic, left: Bounds, right: Bounds) -> Option<Bounds> {
    let quotient = Bounds {
        high: left.high - right.grid,
        grid: left.grid - right.high - DIGITS,
    };
    Some(match op {
        Arithmetic::Add | Arithmetic::Subtract => {
            let (large, small) = (left.high.max(right.high), left.high.min(right.high));
            let high = large + (1.0 + 10_f64.powf(small - large)).log10();
            Bounds {
                high,
                grid: left.grid.min(right.grid),
            }
        }
        Arithmetic::Multiply => Bounds {
            high: left.high + right.high,
            grid: left.grid + right.grid,
        },
        Arithmetic::Divide => quotient,
        // The quotient is a step of its own, and what it is multiplied with may have grown a little
        // by rounding.
        Arithmetic::Remainder if quotient.high > LIMIT || quotient.grid < -LIMIT => return None,
        Arithmetic::Remainder => Bounds {
            high: left.high + 1.0,
            grid: left.grid.min(right.grid),
        },
    })
}
