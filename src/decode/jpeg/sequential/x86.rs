//! The reader compiled for processors that shift by any register and cut numbers out of others (BMI2).

use super::{Irregular, Read, Sequential, TakeBlocks};
use crate::simd::Avx2;

pub(super) fn read(_proof: Avx2) -> Read {
    // SAFETY: the processor has BMI2, as the proof shows.
    |scan, back| unsafe { read_row(scan, back) }
}

#[target_feature(enable = "bmi2")]
fn read_row(scan: &mut Sequential<'_>, back: Option<&mut dyn TakeBlocks>) -> Result<(), Irregular> {
    scan.read_row(back)
}
