//! LZW codes of GIF and TIFF. A code's string is never stored: it is a stretch of the output, where it was
//! written first. A new code is the previous string and the byte after it, which lie there together.

/// Codes have 12 bits at most.
const CODES: usize = 1 << 12;
/// Strings are copied in steps of this many bytes, up to one byte less than a step too far.
const STEP: usize = 16;
/// Entries hold the start of a string above this many bits of its length.
const LENGTH_BITS: u32 = 16;

/// The reason why a run of the decoder ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// All of the output is there.
    Full,
    /// The input is used up.
    NeedsInput,
    /// The code that ends a stream.
    EndCode,
    /// A code that no decoder knows at this point, or that not all treat alike.
    BadCode,
}

/// Decoded bytes, filled from the beginning. Before them stand the strings of one byte, so that all strings lie in
/// one buffer.
pub(super) struct Output {
    data: Vec<u8>,
    /// Bytes wanted, and bytes there are.
    len: usize,
    done: usize,
}

impl Output {
    /// Bytes of the strings of one byte.
    const LITERALS: usize = 256;
    /// Bytes that the buffer takes besides the output.
    pub const EXTRA: usize = Self::LITERALS + STEP;

    /// An empty output of `data.len()` bytes less [`Self::EXTRA`].
    ///
    /// # Panics
    /// When `data` is shorter than that.
    pub fn new(mut data: Vec<u8>) -> Self {
        for (byte, literal) in data[..Self::LITERALS].iter_mut().zip(0..=u8::MAX) {
            *byte = literal;
        }
        Self { len: data.len() - Self::EXTRA, data, done: 0 }
    }

    /// Makes this an empty output of `len` bytes; what they hold is unspecified.
    ///
    /// # Panics
    /// When it never had as many.
    pub fn restart(&mut self, len: usize) {
        assert!(len + Self::EXTRA <= self.data.len(), "an output keeps its buffer");
        (self.len, self.done) = (len, 0);
    }

    /// Bytes that are still missing.
    pub fn missing(&self) -> usize {
        self.len - self.done
    }

    /// The bytes that were wanted; those still missing are unspecified.
    pub fn bytes(&self) -> &[u8] {
        &self.data[Self::LITERALS..][..self.len]
    }

    /// The same, and some after them, to be written to by others.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.data[Self::LITERALS..][..self.len + STEP]
    }
}

/// The state between two runs over parts of one stream.
pub(super) struct Decoder {
    /// Start and length of each code's string.
    strings: Box<[u64; CODES]>,
    /// The highest bit of a byte comes first, codes grow one earlier than they must, and a stream begins with a
    /// clear code: TIFF.
    tiff: bool,
    literal_bits: u32,
    state: State,
}

#[derive(Clone, Copy)]
struct State {
    /// Bits read but not used, and how many.
    bits: u64,
    count: u32,
    /// Bits of a code.
    width: u32,
    /// The code that comes into being with the next string.
    next: usize,
    /// The value of `next` at which codes become wider.
    grow: usize,
    /// The previous string; of length 0 after a clear code.
    previous: (usize, usize),
}

impl Decoder {
    /// A decoder of a GIF's codes, whose literals have 1 to 8 bits.
    pub fn gif(literal_bits: u8) -> Self {
        Self::new(u32::from(literal_bits), false)
    }

    /// A decoder of a TIFF's codes.
    pub fn tiff() -> Self {
        Self::new(8, true)
    }

    fn new(literal_bits: u32, tiff: bool) -> Self {
        let state = State { bits: 0, count: 0, width: 0, next: 0, grow: 0, previous: (0, 0) };
        let mut decoder = Self { strings: Box::new([0; CODES]), tiff, literal_bits, state };
        decoder.reset();
        decoder
    }

    /// Makes the decoder ready for the beginning of a stream.
    pub fn reset(&mut self) {
        for (literal, string) in self.strings[..1 << self.literal_bits].iter_mut().enumerate() {
            *string = (literal as u64) << LENGTH_BITS | 1;
        }
        self.state = self.cleared(0, 0);
        if self.tiff {
            // Nothing but a clear code is known yet.
            self.state.next = 0;
        }
    }

    fn cleared(&self, bits: u64, count: u32) -> State {
        let width = self.literal_bits + 1;
        State {
            bits,
            count,
            width,
            next: (1 << self.literal_bits) + 2,
            grow: (1 << width) - usize::from(self.tiff),
            previous: (0, 0),
        }
    }

    /// Decodes the codes that are complete with `input`, the next bytes of the stream.
    pub fn run(&mut self, input: &[u8], output: &mut Output) -> Progress {
        if self.tiff {
            self.run_in_order::<true>(input, output)
        } else {
            self.run_in_order::<false>(input, output)
        }
    }

    fn run_in_order<const TIFF: bool>(&mut self, mut input: &[u8], output: &mut Output) -> Progress {
        let clear = 1_usize << self.literal_bits;
        let State { mut bits, mut count, mut width, mut next, mut grow, previous: (mut start, mut len) } =
            self.state;
        let full = Output::LITERALS + output.len;
        let data = &mut output.data[..full + STEP];
        let mut at = Output::LITERALS + output.done;
        let progress = loop {
            if at >= full {
                break Progress::Full;
            }
            if count < width {
                if let Some((word, _)) = input.split_first_chunk() {
                    bits |= if TIFF {
                        u64::from_be_bytes(*word) >> count
                    } else {
                        u64::from_le_bytes(*word) << count
                    };
                    input = &input[(63 - count as usize) / 8..];
                    count |= 56;
                } else {
                    while let [byte, rest @ ..] = input
                        && count <= 56
                    {
                        let byte = u64::from(*byte);
                        bits |= if TIFF { byte << (56 - count) } else { byte << count };
                        input = rest;
                        count += 8;
                    }
                    if count < width {
                        break Progress::NeedsInput;
                    }
                }
            }
            let code = if TIFF {
                let code = bits >> (64 - width);
                bits <<= width;
                code
            } else {
                let code = bits & ((1 << width) - 1);
                bits >>= width;
                code
            } as usize;
            count -= width;

            let (from, copied) = if code < next && code & !1 != clear {
                let string = self.strings[code % CODES];
                ((string >> LENGTH_BITS) as usize, (string & ((1 << LENGTH_BITS) - 1)) as usize)
            } else if code == clear {
                State { bits, count, width, next, grow, previous: (start, len) } = self.cleared(bits, count);
                continue;
            } else if code == clear + 1 {
                break Progress::EndCode;
            } else if code == next && len != 0 {
                // The previous string and its own first byte.
                (start, len)
            } else {
                break Progress::BadCode;
            };
            copy(data, from, copied, at, full);
            let mut written = copied;
            if code == next {
                data[full.min(at + copied)] = data[at];
                written += 1;
            }
            if len != 0 {
                if next < CODES {
                    self.strings[next] = (start as u64) << LENGTH_BITS | (len + 1) as u64;
                    next += 1;
                    if next == grow && width < 12 {
                        width += 1;
                        grow = (1 << width) - usize::from(TIFF);
                    }
                } else if TIFF {
                    // Decoders differ in how long they put up with a full table.
                    break Progress::BadCode;
                }
            }
            (start, len) = (at, written);
            at = full.min(at + written);
        };
        output.done = at - Output::LITERALS;
        self.state = State { bits, count, width, next, grow, previous: (start, len) };
        progress
    }
}

/// Copies a string to `at`, as far as there is room for all of it before `full`. Up to [`STEP`] bytes after its end
/// are overwritten.
#[inline(always)]
fn copy(data: &mut [u8], start: usize, len: usize, at: usize, full: usize) {
    let step: [u8; STEP] = *data[start..].first_chunk().expect("the output is followed by a step");
    *data[at..].first_chunk_mut().expect("the output is followed by a step") = step;
    if len > STEP {
        data.copy_within(start..start + len.min(full - at), at);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use weezl::{BitOrder, LzwStatus, decode, encode};

    use super::*;

    fn encoded(data: &[u8], literal_bits: u8, tiff: bool) -> Vec<u8> {
        let mut encoder = if tiff {
            encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8)
        } else {
            encode::Encoder::new(BitOrder::Lsb, literal_bits)
        };
        encoder.encode(data).expect("an encoder takes all data")
    }

    /// The result of a stream that arrives in pieces of these lengths.
    fn decoded(stream: &[u8], len: usize, literal_bits: u8, tiff: bool, piece: usize) -> (Progress, Vec<u8>) {
        let mut output = Output::new(vec![0xaa; len + Output::EXTRA]);
        let mut decoder = if tiff { Decoder::tiff() } else { Decoder::gif(literal_bits) };
        let mut progress = Progress::NeedsInput;
        for piece in stream.chunks(piece) {
            progress = decoder.run(piece, &mut output);
            if progress != Progress::NeedsInput {
                break;
            }
        }
        let done = len - output.missing();
        (progress, output.bytes()[..done].to_vec())
    }

    /// The same by `weezl`.
    fn by_weezl(stream: &[u8], len: usize, literal_bits: u8) -> (Progress, Vec<u8>) {
        let mut decoder = decode::Decoder::new(BitOrder::Lsb, literal_bits);
        let mut bytes = vec![0; len];
        let (mut rest, mut done) = (stream, 0);
        let progress = loop {
            let step = decoder.decode_bytes(rest, &mut bytes[done..]);
            rest = &rest[step.consumed_in..];
            done += step.consumed_out;
            match step.status {
                // It looks one code further than the last byte that is wanted.
                _ if done == len => break Progress::Full,
                Ok(LzwStatus::Done) => break Progress::EndCode,
                Ok(LzwStatus::NoProgress) => break Progress::NeedsInput,
                // It may have taken a clear code from the bits that it held, and no byte.
                Ok(LzwStatus::Ok) => {}
                Err(_) => break Progress::BadCode,
            }
        };
        bytes.truncate(done);
        (progress, bytes)
    }

    /// Bytes of `literal_bits` bits that have runs and repeats of all lengths.
    fn samples(literal_bits: u8) -> impl Strategy<Value = Vec<u8>> {
        let max = u8::MAX >> (8 - literal_bits);
        let run = (0..=max, 1..600_usize).prop_map(|(byte, len)| vec![byte; len]);
        let noise = prop::collection::vec(0..=max, 1..400);
        let repeat = (prop::collection::vec(0..=max, 1..8), 1..90_usize).prop_map(|(unit, n)| unit.repeat(n));
        prop::collection::vec(prop_oneof![run, noise, repeat], 1..40).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn decodes_whatever_was_encoded(
            (literal_bits, data) in (2..=8_u8).prop_flat_map(|bits| (Just(bits), samples(bits))),
            piece in 1..300_usize,
        ) {
            for tiff in [false, true] {
                let stream = encoded(&data, literal_bits, tiff);
                let (progress, bytes) = decoded(&stream, data.len(), literal_bits, tiff, piece);
                prop_assert_eq!(progress, Progress::Full);
                prop_assert_eq!(&bytes, &data);
                let (progress, bytes) = decoded(&stream, data.len() + 1, literal_bits, tiff, piece);
                prop_assert_eq!(progress, Progress::EndCode);
                prop_assert_eq!(&bytes, &data);
            }
        }

        #[test]
        fn treats_damaged_codes_of_gif_as_weezl_does(
            (literal_bits, data) in (2..=8_u8).prop_flat_map(|bits| (Just(bits), samples(bits))),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
            piece in 1..300_usize,
        ) {
            let mut stream = encoded(&data, literal_bits, false);
            for (at, byte) in damage {
                let at = at.index(stream.len());
                stream[at] = byte;
            }
            let ours = decoded(&stream, data.len(), literal_bits, false, piece);
            let theirs = by_weezl(&stream, data.len(), literal_bits);
            prop_assert_eq!(ours.0, theirs.0);
            // It does not hand out the bytes that it has decoded before a bad code.
            if ours.0 != Progress::BadCode {
                prop_assert_eq!(ours.1, theirs.1);
            }
        }

        #[test]
        fn survives_any_codes(stream in prop::collection::vec(any::<u8>(), 0..9000), literal_bits in 1..=8_u8) {
            for tiff in [false, true] {
                decoded(&stream, 20_000, literal_bits, tiff, 255);
            }
        }
    }

    #[test]
    fn a_tiff_begins_with_a_clear_code() {
        let stream = encoded(b"abcabcabc", 8, true);
        assert_eq!(decoded(&stream, 9, 8, true, 99).0, Progress::Full);
        // Of the first code, which is 256, a bit is taken.
        let literal = [&[stream[0] & 0x7f], &stream[1..]].concat();
        assert_eq!(decoded(&literal, 9, 8, true, 99).0, Progress::BadCode);
    }

    #[test]
    fn codes_of_one_bit_never_grow() {
        // As in Pillow: with two literals the first free code, 4, needs three bits already.
        let (progress, bytes) = decoded(&[0b01_00_01_00, 0b11_01_00_01], 9, 1, false, 1);
        assert_eq!((progress, bytes), (Progress::EndCode, vec![0, 1, 0, 1, 1, 0, 1]));
    }
}
