//! The kernels for x86, written once for registers of any width.
//!
//! A register holds a row of two blocks or of four, as 16-bit lanes. [`kernels`] is expanded in a file for each instruction set, which names the registers' operations; loads
//! and stores there take arrays, so that bounds are checked where they are cut.

use super::idct::LANES;

/// The factors of two samples of rows, laid out as blocks are in registers.
pub const TWO_ODD_OF_BLOCKS: [i16; 8 * LANES] = repeated([0, 29692, 0, -10426, 0, 6967, 0, -5906]);
pub const TWO_EVEN_OF_BLOCKS: [i16; 8 * LANES] = repeated([16384, 0, 0, 0, 0, 0, 0, 0]);

const fn repeated(factors: [i16; 8]) -> [i16; 8 * LANES] {
    let mut all = [0; 8 * LANES];
    let mut i = 0;
    while i < all.len() {
        all[i] = factors[i % 8];
        i += 1;
    }
    all
}

macro_rules! kernels {
    ($features:literal, $proof:ident) => {
        /// The kernels of this instruction set.
        pub struct Kernels {
            _proof: $proof,
        }

        impl Kernels {
            pub fn new(proof: $proof) -> Self {
                Self { _proof: proof }
            }
        }

        impl super::kernels::Kernels for Kernels {
            fn inverse_dct(
                &self,
                group: &mut Group,
                quantisation: &Group,
                last: u8,
                side: usize,
                out: &mut [u8],
                stride: usize,
            ) {
                match side {
                    // SAFETY: `_proof` shows that the processor has the features.
                    8 => unsafe { inverse_dct(group, quantisation, last, out, stride) },
                    // SAFETY: as above.
                    4 => unsafe { inverse_dct_to_four(group, quantisation, out, stride) },
                    // SAFETY: as above.
                    2 => unsafe { inverse_dct_to_two(group, quantisation, out, stride) },
                    side => {
                        for lane in 0..LANES {
                            reduced::inverse_dct(group, quantisation, lane, side, out, stride);
                        }
                    }
                }
                clear(group, last);
            }
        }

        /// The one-dimensional transform of the rows' columns; with `QUARTER` the last four are taken for zero.
        #[inline]
        #[target_feature(enable = $features)]
        fn one_dimension<const SHIFT: Shift, const QUARTER: bool>(x: [Register; 8]) -> [Register; 8] {
            let zero = set32(0);
            let rounding = set32(1 << (SHIFT - 1));
            let half = |high: bool| {
                let pairs = |a, b| if high { unpackhi16(a, b) } else { unpacklo16(a, b) };
                // 16 bits in the upper half of 32, moved down to 13 below.
                let scaled = |v| add32(srai32::<3>(pairs(zero, v)), rounding);
                let two_and_six = pairs(x[2], if QUARTER { zero } else { x[6] });
                let high = madd(two_and_six, set32(EVEN[0]));
                let low = madd(two_and_six, set32(EVEN[1]));
                let (sum, difference) = match QUARTER {
                    true => (scaled(x[0]), scaled(x[0])),
                    false => (scaled(add16(x[0], x[4])), scaled(sub16(x[0], x[4]))),
                };
                let even =
                    [add32(sum, high), add32(difference, low), sub32(difference, low), sub32(sum, high)];
                let odd = if QUARTER {
                    let three_and_one = pairs(x[3], x[1]);
                    ODD_OF_QUARTER.map(|factors| madd(three_and_one, set32(factors)))
                } else {
                    let sums = pairs(add16(x[3], x[7]), add16(x[1], x[5]));
                    let w3 = madd(sums, set32(ODD_SUMS[0]));
                    let w4 = madd(sums, set32(ODD_SUMS[1]));
                    let (seven_and_one, five_and_three) = (pairs(x[7], x[1]), pairs(x[5], x[3]));
                    [
                        add32(madd(seven_and_one, set32(ODD[0])), w4),
                        add32(madd(five_and_three, set32(ODD[1])), w3),
                        add32(madd(five_and_three, set32(ODD[2])), w4),
                        add32(madd(seven_and_one, set32(ODD[3])), w3),
                    ]
                };
                let sum = |i: usize| srai32::<SHIFT>(add32(even[i], odd[i]));
                let difference = |i: usize| srai32::<SHIFT>(sub32(even[i], odd[i]));
                [sum(0), sum(1), sum(2), sum(3), difference(3), difference(2), difference(1), difference(0)]
            };
            let (low, high) = (half(false), half(true));
            std::array::from_fn(|i| packs32(low[i], high[i]))
        }

        /// Rows for columns, in each block.
        #[inline]
        #[target_feature(enable = $features)]
        fn transposed(x: [Register; 8]) -> [Register; 8] {
            let low = |i: usize| unpacklo16(x[i], x[i + 1]);
            let high = |i: usize| unpackhi16(x[i], x[i + 1]);
            let (a, b, c, d) = (low(0), high(0), low(2), high(2));
            let (e, f, g, h) = (low(4), high(4), low(6), high(6));
            let (a, c) = (unpacklo32(a, c), unpackhi32(a, c));
            let (b, d) = (unpacklo32(b, d), unpackhi32(b, d));
            let (e, g) = (unpacklo32(e, g), unpackhi32(e, g));
            let (f, h) = (unpacklo32(f, h), unpackhi32(f, h));
            [
                unpacklo64(a, e),
                unpackhi64(a, e),
                unpacklo64(c, g),
                unpackhi64(c, g),
                unpacklo64(b, f),
                unpackhi64(b, f),
                unpacklo64(d, h),
                unpackhi64(d, h),
            ]
        }

        /// The blocks of a group whose first rows are in `first`, from the value `from` of each row on.
        #[inline]
        #[target_feature(enable = $features)]
        fn blocks<const QUARTER: bool>(
            group: &Group,
            quantisation: &Group,
            from: usize,
            first: Register,
            out: &mut [u8],
            stride: usize,
        ) {
            let x = std::array::from_fn(|r| match r {
                0 => first,
                4.. if QUARTER => set32(0),
                r => {
                    let i = 8 * LANES * r + from;
                    mullo16(load16(&group[i..]), load16(&quantisation[i..]))
                }
            });
            let x = one_dimension::<{ SHIFTS.0 as Shift }, QUARTER>(x);
            let x = one_dimension::<{ SHIFTS.1 as Shift }, QUARTER>(transposed(x));
            // Transposed again while bytes are made of them.
            let bytes = |i: usize| shuffle8(packs16(x[i], x[i + 1]), pairs_of_bytes());
            let low = |i: usize| unpacklo16(bytes(i), bytes(i + 2));
            let high = |i: usize| unpackhi16(bytes(i), bytes(i + 2));
            let (a, b, c, d) = (low(0), high(0), low(4), high(4));
            let rows = [unpacklo32(a, c), unpackhi32(a, c), unpacklo32(b, d), unpackhi32(b, d)];
            for (i, rows) in rows.into_iter().enumerate() {
                store_two_rows(xor(rows, set8(-128)), &mut out[2 * i * stride + from..], stride);
            }
        }

        #[target_feature(enable = $features)]
        fn inverse_dct(group: &mut Group, quantisation: &Group, last: u8, out: &mut [u8], stride: usize) {
            for from in (0..8 * LANES).step_by(WIDTH) {
                let first = mullo16(load16(&group[from..]), load16(&quantisation[from..]));
                if last == 0 {
                    let samples = srai16::<5>(adds16(slli16::<2>(first), set16(16)));
                    let samples = xor(shuffle8(packs16(samples, samples), set8(0)), set8(-128));
                    for row in 0..4 {
                        store_two_rows(samples, &mut out[2 * row * stride + from..], stride);
                    }
                } else if has_extreme(first) {
                    for lane in from / 8..(from + WIDTH) / 8 {
                        extreme_block(group, quantisation, lane, out, stride);
                    }
                } else if last <= LAST_OF_QUARTER {
                    blocks::<true>(group, quantisation, from, first, out, stride);
                } else {
                    blocks::<false>(group, quantisation, from, first, out, stride);
                }
            }
        }

        /// The one-dimensional transform to four samples, of the lower or the higher half of the lanes.
        #[inline]
        #[target_feature(enable = $features)]
        fn four_of_eight<const SHIFT: Shift>(x: [Register; 8], high: bool) -> [Register; 4] {
            let pairs = |a, b| if high { unpackhi16(a, b) } else { unpacklo16(a, b) };
            let rounding = set32(1 << (SHIFT - 1));
            let first = add32(srai32::<2>(pairs(set32(0), x[0])), rounding);
            let even = madd(pairs(x[2], x[6]), set32(FOUR_EVEN));
            let (three_and_one, seven_and_five) = (pairs(x[3], x[1]), pairs(x[7], x[5]));
            let odd = |factors: [i32; 2]| {
                add32(madd(three_and_one, set32(factors[0])), madd(seven_and_five, set32(factors[1])))
            };
            let (sum, difference) = (add32(first, even), sub32(first, even));
            let (outer, inner) = (odd(FOUR_OUTER), odd(FOUR_INNER));
            [
                srai32::<SHIFT>(add32(sum, outer)),
                srai32::<SHIFT>(add32(difference, inner)),
                srai32::<SHIFT>(sub32(difference, inner)),
                srai32::<SHIFT>(sub32(sum, outer)),
            ]
        }

        #[target_feature(enable = $features)]
        fn inverse_dct_to_four(group: &Group, quantisation: &Group, out: &mut [u8], stride: usize) {
            for from in (0..8 * LANES).step_by(WIDTH) {
                let x = std::array::from_fn(|r| {
                    let i = 8 * LANES * r + from;
                    mullo16(load16(&group[i..]), load16(&quantisation[i..]))
                });
                let low = four_of_eight::<{ SHIFTS_OF_FOUR.0 as Shift }>(x, false);
                let high = four_of_eight::<{ SHIFTS_OF_FOUR.0 as Shift }>(x, true);
                let x = std::array::from_fn(|i| if i < 4 { packs32(low[i], high[i]) } else { set32(0) });
                let x = four_of_eight::<{ SHIFTS_OF_FOUR.1 as Shift }>(transposed(x), false);
                // Columns of four bytes in each block, to be made rows.
                let columns = packs16(packs32(x[0], x[1]), packs32(x[2], x[3]));
                let bytes = to_bytes(xor(shuffle8(columns, transposed_bytes()), set8(-128)));
                for (block, rows) in bytes.as_chunks::<16>().0.iter().enumerate() {
                    for (row, samples) in rows.as_chunks::<4>().0.iter().enumerate() {
                        out[row * stride + from / 2 + 4 * block..][..4].copy_from_slice(samples);
                    }
                }
            }
        }

        #[target_feature(enable = $features)]
        fn inverse_dct_to_two(group: &Group, quantisation: &Group, out: &mut [u8], stride: usize) {
            for from in (0..8 * LANES).step_by(WIDTH) {
                let row = |r: usize| {
                    let i = 8 * LANES * r + from;
                    mullo16(load16(&group[i..]), load16(&quantisation[i..]))
                };
                let x = [row(0), row(1), row(3), row(5), row(7)];
                let half = |high: bool| {
                    let pairs = |a, b| if high { unpackhi16(a, b) } else { unpacklo16(a, b) };
                    let even = add32(srai32::<1>(pairs(set32(0), x[0])), set32(1 << (SHIFTS_OF_TWO.0 - 1)));
                    let odd = add32(
                        madd(pairs(x[1], x[2]), set32(TWO_ODD[0])),
                        madd(pairs(x[3], x[4]), set32(TWO_ODD[1])),
                    );
                    const SHIFT: Shift = SHIFTS_OF_TWO.0 as Shift;
                    [srai32::<SHIFT>(add32(even, odd)), srai32::<SHIFT>(sub32(even, odd))]
                };
                let (low, high) = (half(false), half(true));
                let samples = |row: usize| {
                    let x = packs32(low[row], high[row]);
                    let odd = madd(x, load16(&TWO_ODD_OF_BLOCKS));
                    let odd = add32(odd, shuffle32::<0b01_00_11_10>(odd));
                    let odd = add32(odd, shuffle32::<0b10_11_00_01>(odd));
                    let even = madd(x, load16(&TWO_EVEN_OF_BLOCKS));
                    let even = add32(add32(even, even), set32(1 << (SHIFTS_OF_TWO.1 - 1)));
                    const SHIFT: Shift = SHIFTS_OF_TWO.1 as Shift;
                    packs32(srai32::<SHIFT>(add32(even, odd)), srai32::<SHIFT>(sub32(even, odd)))
                };
                // Of each block four bytes count, four apart.
                let bytes = to_bytes(xor(packs16(samples(0), samples(1)), set8(-128)));
                for (block, bytes) in bytes.as_chunks::<16>().0.iter().enumerate() {
                    let at = from / 4 + 2 * block;
                    out[at..at + 2].copy_from_slice(&[bytes[0], bytes[4]]);
                    out[stride + at..stride + at + 2].copy_from_slice(&[bytes[8], bytes[12]]);
                }
            }
        }

        /// Values beyond which libjpeg's shortcut for blocks of one row wraps.
        #[cold]
        #[inline(never)]
        fn extreme_block(group: &Group, quantisation: &Group, lane: usize, out: &mut [u8], stride: usize) {
            super::idct::inverse_dct(group, quantisation, lane, out, stride);
        }
    };
}
pub(super) use kernels;
