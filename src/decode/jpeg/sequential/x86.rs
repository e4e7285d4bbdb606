//! The reader compiled for processors that shift by any register and cut numbers out of others (BMI2).

use super::guess::{Guess, ReadOn};
use super::{Irregular, Read, Sequential, TakeBlocks};
use crate::simd::Avx2;

pub(super) fn read(_proof: Avx2) -> Read {
    // SAFETY: the processor has BMI2, as the proof shows.
    |scan, back| unsafe { read_row(scan, back) }
}

#[target_feature(enable = "bmi2")]
fn read_row(
    scan: &mut Sequential<'_>,
    back: Option<&mut dyn TakeBlocks>,
) -> std::result::Result<(), Irregular> {
    scan.read_row(back)
}

pub(super) fn read_on(_proof: Avx2) -> ReadOn {
    // SAFETY: the processor has BMI2, as the proof shows.
    |guess| unsafe { read_on_of(guess) }
}

#[target_feature(enable = "bmi2")]
fn read_on_of(guess: &mut Guess<'_>) {
    guess.read_on();
}
