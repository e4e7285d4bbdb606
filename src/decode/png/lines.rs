//! The lines of a PNG with their filters undone, a few at a time.

use super::inflated::Inflated;
use crate::decode::rows::allocate;
use crate::decode::unfilter::{Filter, SLACK, TOGETHER, Unfilter};
use crate::error::{Error, Result};

/// Lines that are held, so that runs of one filter are met whole: the one above, those handed out, those to come.
const HELD: usize = 4 * TOGETHER + 1;
/// Lines that are longer are inflated one by one, and as few of them held as will do.
const LONG: usize = 1 << 20;

/// Lines of a group that are slow to undo alone, from which on it is worth while to undo the group together.
const FEWEST_SLOW: usize = 2;

/// Lines of equal length, the first under a line of zeros.
pub(super) struct Lines<'g, 'a> {
    data: Inflated<'g, 'a>,
    kernel: Box<dyn Unfilter>,
    /// Line i stands at i + 1, modulo their number.
    held: Vec<Vec<u8>>,
    /// Bytes of a line.
    len: usize,
    /// Lines there are, and how many of them are undone.
    count: usize,
    undone: usize,
    /// Lines before those that can be asked for, and up to the last one of these.
    first: usize,
    passed: usize,
}

impl<'g, 'a> Lines<'g, 'a> {
    /// An upper bound for the bytes that `count` lines of `len` bytes take, besides their data.
    pub fn memory(len: usize, count: usize) -> usize {
        (len + SLACK).saturating_mul(held(len, count))
    }

    /// The lines that are in `data`. They are to [`begin`](Self::begin).
    pub fn new(data: Inflated<'g, 'a>, kernel: Box<dyn Unfilter>) -> Self {
        Self { data, kernel, held: Vec::new(), len: 0, count: 0, undone: 0, first: 0, passed: 0 }
    }

    /// Begins with the next `count` lines of `len` bytes, of which the first `used` are wanted.
    pub fn begin(&mut self, len: usize, used: usize, count: usize) -> Result<()> {
        self.held.clear();
        for _ in 0..held(len, count) {
            self.held.push(allocate("PNG", used + SLACK)?);
        }
        (self.len, self.count, self.undone, self.first, self.passed) = (len, count, 0, 0, 0);
        Ok(())
    }

    /// Goes on by `count` lines, at most [`TOGETHER`], which can then be asked for.
    pub fn advance(&mut self, count: usize) -> Result<()> {
        self.first = self.passed;
        self.passed += count;
        while self.undone < self.passed {
            self.undo()?;
        }
        Ok(())
    }

    /// The wanted bytes of the line at `i` among those that were advanced by.
    pub fn line(&self, i: usize) -> &[u8] {
        let line = &self.held[(self.first + i + 1) % self.held.len()];
        &line[..line.len() - SLACK]
    }

    /// Passes over all lines that are left. Their filters have to be some that there are, and their data have to end
    /// well: Pillow reads them.
    pub fn finish(&mut self) -> Result<()> {
        for _ in self.undone..self.count {
            filter(self.data.at_least(self.len + 1)?[0])?;
            self.data.consume(self.len + 1);
        }
        self.undone = self.count;
        self.data.finish()
    }

    /// Undoes the filters of as many lines as there are data and places for, at least of one.
    fn undo(&mut self) -> Result<()> {
        let held = self.held.len();
        // The line above keeps its place, and so do those that are not passed yet.
        let room = held - 1 - (self.undone - self.first);
        let wanted = room.min(self.count - self.undone);
        let stride = self.len + 1;
        let data = self.data.at_least(asked_for(self.len, wanted))?;
        let ready = wanted.min((data.len() - SLACK) / stride);
        // Lines are undone in groups: a rest of few waits for more, where that is not all there are.
        let ready = if ready < TOGETHER { ready } else { ready - ready % TOGETHER };
        let wanted_len = self.held[0].len();
        let filtered = |i: usize| &data[i * stride + 1..][..wanted_len];
        let mut i = 0;
        while i < ready {
            let place = |line: usize| (self.undone + i + line) % held;
            let together = TOGETHER.min(ready - i);
            let mut filters = [Filter::None; TOGETHER];
            for (line, found) in filters[..together].iter_mut().enumerate() {
                *found = filter(data[(i + line) * stride])?;
            }
            if filters.iter().filter(|filter| filter.is_slow()).count() >= FEWEST_SLOW && together == TOGETHER
            {
                let [above, out @ ..] = self
                    .held
                    .get_disjoint_mut(std::array::from_fn::<_, { TOGETHER + 1 }, _>(place))
                    .expect("there are more places than lines in use");
                let filtered = std::array::from_fn(|line| filtered(i + line));
                self.kernel.lines(filters, above, filtered, out.map(|line| &mut line[..]));
                i += TOGETHER;
            } else {
                let [above, out] =
                    self.held.get_disjoint_mut([place(0), place(1)]).expect("there are two places at least");
                self.kernel.line(filters[0], above, filtered(i), out);
                i += 1;
            }
        }
        self.data.consume(ready * stride);
        self.undone += ready;
        Ok(())
    }
}

/// Bytes of the data that are asked for at a time, for lines of `len` bytes of which at most `count` belong together.
pub(super) fn asked_for(len: usize, count: usize) -> usize {
    let lines = if len > LONG { 1 } else { TOGETHER.min(count) };
    (len + 1) * lines
}

fn held(len: usize, count: usize) -> usize {
    let most = if len > LONG { 1 + TOGETHER } else { HELD };
    most.min(count + 1)
}

fn filter(byte: u8) -> Result<Filter> {
    Filter::of(byte).ok_or_else(|| Error::decode("PNG", format_args!("a line of filter {byte}")))
}

#[cfg(test)]
mod tests {
    use png::{BitDepth, ColorType, Decoder, Encoder, Filter as Choice, Transformations};
    use proptest::prelude::*;

    use super::*;
    use crate::decode::png::chunks;
    use crate::decode::png::samples::Samples;
    use crate::decode::png::stream::Stream;
    use crate::decode::unfilter::unfilter;
    use crate::simd::levels_to_test;

    const KINDS: [(ColorType, BitDepth); 15] = [
        (ColorType::Grayscale, BitDepth::One),
        (ColorType::Grayscale, BitDepth::Two),
        (ColorType::Grayscale, BitDepth::Four),
        (ColorType::Grayscale, BitDepth::Eight),
        (ColorType::Grayscale, BitDepth::Sixteen),
        (ColorType::Rgb, BitDepth::Eight),
        (ColorType::Rgb, BitDepth::Sixteen),
        (ColorType::Indexed, BitDepth::One),
        (ColorType::Indexed, BitDepth::Two),
        (ColorType::Indexed, BitDepth::Four),
        (ColorType::Indexed, BitDepth::Eight),
        (ColorType::GrayscaleAlpha, BitDepth::Eight),
        (ColorType::GrayscaleAlpha, BitDepth::Sixteen),
        (ColorType::Rgba, BitDepth::Eight),
        (ColorType::Rgba, BitDepth::Sixteen),
    ];

    /// A file of bytes that vary little, as those of photos.
    fn encoded(kind: (ColorType, BitDepth), width: u32, height: u32, filter: Choice, seed: u32) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, width, height);
        encoder.set_color(kind.0);
        encoder.set_depth(kind.1);
        encoder.set_filter(filter);
        if kind.0 == ColorType::Indexed {
            encoder.set_palette(vec![7; 3 << kind.1 as usize]);
        }
        let mut writer = encoder.write_header().expect("a header");
        let line = (width as usize * kind.0.samples() * kind.1 as usize).div_ceil(8);
        let mut state = seed;
        let mut level = 100_u8;
        let bytes: Vec<u8> = (0..line * height as usize)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                level = level.wrapping_add((state >> 28) as u8).wrapping_sub(7);
                if state >> 24 & 15 == 0 { (state >> 16) as u8 } else { level }
            })
            .collect();
        writer.write_image_data(&bytes).expect("an image");
        drop(writer);
        file
    }

    /// The lines by the `png` crate.
    fn by_png(file: &[u8]) -> Vec<Vec<u8>> {
        let mut decoder = Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(Transformations::IDENTITY);
        let mut reader = decoder.read_info().expect("a header");
        let mut lines = Vec::new();
        while let Some(row) = reader.next_row().expect("a row") {
            lines.push(row.data().to_vec());
        }
        lines
    }

    /// The file with its image data in chunks of `len` bytes, and an empty one.
    fn in_chunks(file: &[u8], len: usize) -> Vec<u8> {
        let mut data = Vec::new();
        let mut rest = chunks::read(file).expect("a sound file").data;
        while let Some(body) = rest.next_data() {
            data.extend_from_slice(body);
        }
        let mut out = file[..file.windows(4).position(|name| name == b"IDAT").expect("data") - 4].to_vec();
        for body in [&[][..]].into_iter().chain(data.chunks(len)) {
            out.extend_from_slice(&(body.len() as u32).to_be_bytes());
            out.extend_from_slice(b"IDAT");
            out.extend_from_slice(body);
            out.extend_from_slice(&[0; 4]);
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn gives_the_lines_of_the_png_crate(
            kind in prop::sample::select(&KINDS[..]),
            width in prop_oneof![1..40_u32, 900..1100_u32],
            height in 1..60_u32,
            filter in prop::sample::select(&[Choice::Adaptive, Choice::Paeth, Choice::Avg, Choice::Sub][..]),
            seed in any::<u32>(),
            len in prop_oneof![1..9_usize, 9..5000_usize],
            together in 1..=TOGETHER,
            used in any::<prop::sample::Index>(),
        ) {
            let file = encoded(kind, width, height, filter, seed);
            let expected = by_png(&file);
            let file = in_chunks(&file, len);
            let facts = chunks::read(&file).expect("a sound file");
            let samples = Samples::of(facts.colour, facts.depth).expect("a kind of PNG");
            let line = samples.line_bytes(width as usize).expect("a short line");
            let pixel = samples.pixel_bytes();
            let used = pixel * (1 + used.index(line / pixel));
            for level in levels_to_test() {
                let count = height as usize;
                let kernel = unfilter(level, pixel);
                let total = (line + 1) * count;
                let stream = Stream::new(facts.data.clone(), asked_for(line, count), total).expect("memory");
                let mut lines = Lines::new(Inflated::Here(stream.into()), kernel);
                lines.begin(line, used, count).expect("memory");
                for expected in expected.chunks(together) {
                    lines.advance(expected.len()).expect("sound data");
                    for (i, expected) in expected.iter().enumerate() {
                        prop_assert_eq!(lines.line(i), &expected[..used], "{:?}", level);
                    }
                }
                prop_assert!(lines.finish().is_ok());
            }
        }
    }

    #[test]
    fn refuses_data_that_end_early_or_late() {
        let file = encoded(KINDS[5], 50, 40, Choice::Adaptive, 3);
        let facts = chunks::read(&file).expect("a sound file");
        let lines = |count: usize| {
            let kernel = unfilter(crate::Level::active(), 3);
            let stream = Stream::new(facts.data.clone(), asked_for(150, count), 151 * count)?;
            let mut lines = Lines::new(Inflated::Here(stream.into()), kernel);
            lines.begin(150, 150, count)?;
            for _ in 0..count {
                lines.advance(1)?;
            }
            lines.finish()
        };
        assert!(lines(40).is_ok());
        assert!(matches!(lines(39), Err(Error::Unsupported(_))));
        assert!(matches!(lines(41), Err(Error::Truncated { .. })));
    }
}
