//! The kernels for x86, written once for registers of any width.
//!
//! A register holds the even or the odd pixels of a stretch of a row, as 16-bit lanes. [`kernels`] is expanded in a
//! file for each instruction set, which names the registers' operations; loads and stores there take arrays, so that
//! bounds are checked where they are cut. Registers do not go through the closures of `map` and `from_fn`, which do not
//! have the instruction set, so that the compiler may leave them and what they call as functions.

macro_rules! kernels {
    ($features:literal, $proof:ident) => {
        /// The kernel of this instruction set.
        pub struct Kernel {
            _proof: $proof,
        }

        impl Kernel {
            pub fn new(proof: $proof) -> Self {
                Self { _proof: proof }
            }
        }

        impl super::Kernel for Kernel {
            fn rgb_row(&self, row: &YccRow<'_>, sums: &mut Sums, out: &mut [u8]) {
                // SAFETY: `_proof` shows that the processor has the features.
                unsafe { rgb_row(row, sums, out) }
            }
        }

        /// Red, green and blue of pixels, which may leave the range of a byte.
        #[inline]
        #[target_feature(enable = $features)]
        fn rgb_of_libjpeg(y: Register, blue: Register, red: Register) -> [Register; 3] {
            let (blue, red) = (sub16(blue, set16(128)), sub16(red, set16(128)));
            let green = |pairs| srai32::<15>(add32(madd(pairs, set32(libjpeg::GREEN)), set32(1 << 14)));
            let green = packs32(green(unpacklo16(blue, red)), green(unpackhi16(blue, red)));
            let red = mulhrs(add16(red, red), set16(libjpeg::RED));
            let blue = mulhrs(add16(blue, blue), set16(libjpeg::BLUE));
            [add16(y, red), add16(y, green), add16(y, blue)]
        }

        /// The same by libwebp. Blue's sum takes all 16 bits.
        #[inline]
        #[target_feature(enable = $features)]
        fn rgb_of_libwebp(y: Register, blue: Register, red: Register) -> [Register; 3] {
            use libwebp::*;
            let factor = |value: u16| set16(value as i16);
            let (y, blue, red) = (slli16::<8>(y), slli16::<8>(blue), slli16::<8>(red));
            let y = mulhi(y, factor(LUMA));
            let of_green = add16(mulhi(blue, factor(GREEN_OF_BLUE)), mulhi(red, factor(GREEN_OF_RED)));
            [
                srai16::<6>(sub16(add16(y, mulhi(red, factor(RED))), factor(FROM_RED))),
                srai16::<6>(add16(sub16(y, of_green), factor(TO_GREEN))),
                srli16::<6>(subs_unsigned(add16(y, mulhi(blue, factor(BLUE))), factor(FROM_BLUE))),
            ]
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn thrice(v: Register) -> Register {
            add16(add16(v, v), v)
        }

        /// Even and odd bytes as 16-bit lanes.
        #[inline]
        #[target_feature(enable = $features)]
        fn even_and_odd(bytes: Register) -> [Register; 2] {
            [and(bytes, set16(255)), srli16::<8>(bytes)]
        }

        /// Upsampled chroma of even and odd pixels, from the samples before, at and after them.
        #[inline]
        #[target_feature(enable = $features)]
        fn half_width<const SHIFT: Shift>(around: [Register; 3], rounding: [i16; 2]) -> [Register; 2] {
            let [before, this, after] = around;
            let this = thrice(this);
            [
                srli16::<SHIFT>(add16(add16(this, before), set16(rounding[0]))),
                srli16::<SHIFT>(add16(add16(this, after), set16(rounding[1]))),
            ]
        }

        /// Writes pixels, two of which `chroma` gives for a lane, from a lane's first pixel on.
        #[inline]
        #[target_feature(enable = $features)]
        fn pixels<const OF_LIBWEBP: bool>(
            row: &YccRow<'_>,
            out: &mut [u8],
            chroma: impl Fn(usize) -> ([Register; 2], [Register; 2]),
        ) {
            for x in (0..row.width).step_by(2 * WIDTH) {
                let (blue, red) = chroma(x);
                let y = even_and_odd(load_bytes(&row.luma[x..]));
                let (even, odd) = match OF_LIBWEBP {
                    true => (rgb_of_libwebp(y[0], blue[0], red[0]), rgb_of_libwebp(y[1], blue[1], red[1])),
                    false => (rgb_of_libjpeg(y[0], blue[0], red[0]), rgb_of_libjpeg(y[1], blue[1], red[1])),
                };
                store_pixels(even, odd, &mut out[3 * x..]);
            }
        }

        /// Those of a row with a quarter of the chroma.
        #[inline]
        #[target_feature(enable = $features)]
        fn quarter<const OF_LIBWEBP: bool>(row: &YccRow<'_>, sums: &mut Sums, out: &mut [u8]) {
            for (sums, chroma) in sums.iter_mut().zip([row.blue, row.red]) {
                // Those before the first and after the last pixel too.
                for i in (0..row.width / 2 + 3).step_by(WIDTH) {
                    let near = thrice(widened(&chroma.near[i..]));
                    store16(add16(near, widened(&chroma.far[i..])), &mut sums[i..]);
                }
            }
            let [blue, red] = &*sums;
            pixels::<OF_LIBWEBP>(row, out, |x| {
                let half = |sums: &[u16]| {
                    let at = |i: usize| load_sums(&sums[x / 2 + i..]);
                    let around = [at(0), at(1), at(2)];
                    half_width::<4>(around, if OF_LIBWEBP { LIBWEBP_ROUNDINGS } else { LIBJPEG_ROUNDINGS })
                };
                (half(blue), half(red))
            });
        }

        #[target_feature(enable = $features)]
        fn rgb_row(row: &YccRow<'_>, sums: &mut Sums, out: &mut [u8]) {
            match row.sampling {
                Sampling::Full => pixels::<false>(row, out, |x| {
                    let full = |chroma: Chroma<'_>| even_and_odd(load_bytes(&chroma.near[x + 1..]));
                    (full(row.blue), full(row.red))
                }),
                Sampling::HalfHeight => pixels::<false>(row, out, |x| {
                    let rounding = set16(row.rounding_of_height() as i16);
                    let half = |chroma: Chroma<'_>| {
                        let near = even_and_odd(load_bytes(&chroma.near[x + 1..]));
                        let far = even_and_odd(load_bytes(&chroma.far[x + 1..]));
                        let value = |i: usize| srli16::<2>(add16(add16(thrice(near[i]), far[i]), rounding));
                        [value(0), value(1)]
                    };
                    (half(row.blue), half(row.red))
                }),
                Sampling::HalfWidth => pixels::<false>(row, out, |x| {
                    let half = |chroma: Chroma<'_>| {
                        let at = |i: usize| widened(&chroma.near[x / 2 + i..]);
                        half_width::<2>([at(0), at(1), at(2)], [1, 2])
                    };
                    (half(row.blue), half(row.red))
                }),
                Sampling::Quarter => quarter::<false>(row, sums, out),
                Sampling::QuarterOfLibwebp => quarter::<true>(row, sums, out),
            }
        }
    };
}
pub(super) use kernels;
