//! A plane of values for each channel, in loops that the compiler vectorises.

use super::Element;
use super::affine::{BLOCK_VALUES, Fma, Steps};

impl Fma {
    /// Writes the first three channels of pixels of `S` bytes, a plane each; a pixel of one byte has it three times.
    pub(super) fn write_planes<T: Element, const S: usize>(
        self,
        channels: &[Steps<1>; 3],
        row: &[u8],
        mut out: [&mut [T]; 3],
        scratch: &mut Vec<u8>,
    ) {
        match S {
            1 => channels.iter().zip(out).for_each(|(steps, out)| self.write(steps, row, out)),
            3 => {
                let width = row.len() / 3;
                scratch.resize(3 * width, 0);
                let (first, rest) = scratch.split_at_mut(width);
                let (second, third) = rest.split_at_mut(width);
                self.split(row, [&mut *first, &mut *second, &mut *third]);
                for ((steps, bytes), out) in channels.iter().zip([&*first, second, third]).zip(out) {
                    self.write(steps, bytes, out);
                }
            }
            _ => {
                let pixels = row.as_chunks::<4>().0;
                for (channel, (steps, out)) in channels.iter().zip(&mut out).enumerate() {
                    self.write_channel(steps, pixels, channel, out);
                }
            }
        }
    }

    /// One plane of bytes for each channel of pixels of three.
    fn split(self, row: &[u8], planes: [&mut [u8]; 3]) {
        #[cfg_attr(target_arch = "x86_64", target_feature(enable = "avx2,fma"))]
        fn compiled_for(row: &[u8], [first, second, third]: [&mut [u8]; 3]) {
            let pixels = row.as_chunks::<3>().0.iter();
            for (((pixel, first), second), third) in pixels.zip(first).zip(second).zip(third) {
                (*first, *second, *third) = (pixel[0], pixel[1], pixel[2]);
            }
        }
        // SAFETY: as in `Fma::write`.
        #[allow(unused_unsafe, reason = "as in `Fma::write`")]
        unsafe {
            compiled_for(row, planes);
        }
    }

    /// Writes the values of a channel of pixels of four bytes.
    fn write_channel<T: Element>(self, steps: &Steps<1>, pixels: &[[u8; 4]], channel: usize, out: &mut [T]) {
        #[cfg_attr(target_arch = "x86_64", target_feature(enable = "avx2,fma,f16c"))]
        fn compiled_for<T: Element>(
            proof: Fma,
            steps: &Steps<1>,
            pixels: &[[u8; 4]],
            channel: usize,
            out: &mut [T],
        ) {
            steps.write_channel(proof, pixels, channel, out);
        }
        // SAFETY: as in `Fma::write`.
        #[allow(unused_unsafe, reason = "as in `Fma::write`")]
        unsafe {
            compiled_for(self, steps, pixels, channel, out);
        }
    }
}

impl Steps<1> {
    /// Writes a channel of pixels of four bytes. These are whole numbers to the processor, so that nothing has to
    /// be brought into another order.
    #[inline(always)]
    fn write_channel<T: Element>(&self, proof: Fma, pixels: &[[u8; 4]], channel: usize, out: &mut [T]) {
        assert_eq!(pixels.len(), out.len(), "a value for each pixel");
        let len = pixels.len();
        let value = |pixel: &[u8; 4]| u32::from_le_bytes(*pixel) >> (8 * channel) & 255;
        if len < BLOCK_VALUES {
            let mut bytes = [0; BLOCK_VALUES];
            bytes.iter_mut().zip(pixels).for_each(|(byte, pixel)| *byte = pixel[channel]);
            return self.write(proof, &bytes[..len], out);
        }
        for at in (0..len).step_by(BLOCK_VALUES).map(|at| at.min(len - BLOCK_VALUES)) {
            let block: &[_; BLOCK_VALUES] = pixels[at..].first_chunk().expect("a whole block");
            let (mut bytes, mut floats) = ([0; BLOCK_VALUES], [0.0; BLOCK_VALUES]);
            for ((byte, float), pixel) in bytes.iter_mut().zip(&mut floats).zip(block) {
                *byte = value(pixel) as u8;
                *float = self.float(0, value(pixel) as f32);
            }
            T::write_block(proof, &bytes, &floats, &mut out[at..at + BLOCK_VALUES]);
        }
    }
}
