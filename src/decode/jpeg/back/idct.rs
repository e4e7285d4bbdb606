//! From coefficients to samples: dequantisation and libjpeg-turbo's accurate inverse DCT ("islow").
//!
//! The bits are those of its SIMD code for x86, where sums wrap at 16 bits and results saturate: Pillow's wheels
//! run that code, and files with extreme coefficients show the difference.

/// Blocks that are transformed together.
pub const LANES: usize = 4;

/// Coefficients of [`LANES`] blocks that lie next to each other: the first row of each block, then the second one.
pub type Group = [i16; 64 * LANES];

/// Where the coefficients of a block's row begin in a group.
pub const fn at(row: usize, lane: usize) -> usize {
    8 * (LANES * row + lane)
}

/// A quantisation table for all blocks of a group. Factors of 16 bits wrap, as in libjpeg.
pub fn quantisation_of_group(table: &[u16; 64]) -> Group {
    std::array::from_fn(|i| table[i / (8 * LANES) * 8 + i % 8] as i16)
}

/// The constants of Loeffler, Ligtenberg and Moschytz in fixed point with 13 bits.
pub mod constant {
    pub const F_0_298: i32 = 2446;
    pub const F_0_390: i32 = 3196;
    pub const F_0_541: i32 = 4433;
    pub const F_0_765: i32 = 6270;
    pub const F_0_899: i32 = 7373;
    pub const F_1_175: i32 = 9633;
    pub const F_1_501: i32 = 12299;
    pub const F_1_847: i32 = 15137;
    pub const F_1_961: i32 = 16069;
    pub const F_2_053: i32 = 16819;
    pub const F_2_562: i32 = 20995;
    pub const F_3_072: i32 = 25172;
}

/// The bits by which the columns' results are scaled down, and the rows'.
pub const SHIFTS: (u32, u32) = (11, 18);

/// The one-dimensional inverse DCT, its results scaled down by `shift` bits.
fn one_dimension(x: [i16; 8], shift: u32) -> [i16; 8] {
    use constant::*;
    let dot = |a: i16, p: i32, b: i16, q: i32| (i32::from(a) * p).wrapping_add(i32::from(b) * q);
    let even_sum = i32::from(x[0].wrapping_add(x[4])) << 13;
    let even_difference = i32::from(x[0].wrapping_sub(x[4])) << 13;
    let high = dot(x[2], F_0_541 + F_0_765, x[6], F_0_541);
    let low = dot(x[2], F_0_541, x[6], F_0_541 - F_1_847);
    let even = [
        even_sum.wrapping_add(high),
        even_difference.wrapping_add(low),
        even_difference.wrapping_sub(low),
        even_sum.wrapping_sub(high),
    ];
    let (z3, z4) = (x[3].wrapping_add(x[7]), x[1].wrapping_add(x[5]));
    let w3 = dot(z3, F_1_175 - F_1_961, z4, F_1_175);
    let w4 = dot(z3, F_1_175, z4, F_1_175 - F_0_390);
    let odd = [
        dot(x[7], -F_0_899, x[1], F_1_501 - F_0_899).wrapping_add(w4),
        dot(x[5], -F_2_562, x[3], F_3_072 - F_2_562).wrapping_add(w3),
        dot(x[5], F_2_053 - F_2_562, x[3], -F_2_562).wrapping_add(w4),
        dot(x[7], F_0_298 - F_0_899, x[1], -F_0_899).wrapping_add(w3),
    ];
    let scaled = |sum: i32| (sum.wrapping_add(1 << (shift - 1)) >> shift).clamp(-32768, 32767) as i16;
    std::array::from_fn(|i| match i {
        0..4 => scaled(even[i].wrapping_add(odd[i])),
        _ => scaled(even[7 - i].wrapping_sub(odd[7 - i])),
    })
}

/// The samples of one block of a group, to its place in `out`, whose rows are `stride` apart.
pub fn inverse_dct(group: &Group, quantisation: &Group, lane: usize, out: &mut [u8], stride: usize) {
    let mut block = [[0_i16; 8]; 8];
    let mut has_more_than_first_row = false;
    for (r, row) in block.iter_mut().enumerate() {
        for (c, value) in row.iter_mut().enumerate() {
            let i = at(r, lane) + c;
            *value = group[i].wrapping_mul(quantisation[i]);
            has_more_than_first_row |= r > 0 && group[i] != 0;
        }
    }
    if has_more_than_first_row {
        for c in 0..8 {
            let column = one_dimension(block.map(|row| row[c]), SHIFTS.0);
            for (row, value) in block.iter_mut().zip(column) {
                row[c] = value;
            }
        }
    } else {
        // libjpeg's shortcut wraps where its long way saturates.
        block = [block[0].map(|value| value.wrapping_shl(2)); 8];
    }
    for (r, row) in block.into_iter().enumerate() {
        let samples = one_dimension(row, SHIFTS.1).map(|value| (value.clamp(-128, 127) + 128) as u8);
        out[r * stride + 8 * lane..][..8].copy_from_slice(&samples);
    }
}
