//! The reader compiled for processors that shift by any register and cut numbers out of others (BMI2).

use super::guess::{Guess, ReadOn};
use super::{Irregular, Read, Sequential, Target};
use crate::simd::Avx2;

pub(super) fn read(_proof: Avx2) -> Read {
    // SAFETY: the processor has BMI2, as the proof shows.
    |scan, target| unsafe { read_row(scan, target) }
}

#[target_feature(enable = "bmi2")]
fn read_row(
    scan: &mut Sequential<'_>,
    target: Option<&mut dyn Target>,
) -> std::result::Result<(), Irregular> {
    scan.read_row(target)
}

pub(super) fn read_on(_proof: Avx2) -> ReadOn {
    // SAFETY: the processor has BMI2, as the proof shows.
    |guess| unsafe { read_on_of(guess) }
}

#[target_feature(enable = "bmi2")]
fn read_on_of(guess: &mut Guess<'_>) {
    guess.read_on();
}
