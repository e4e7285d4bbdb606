//! LZW codes of GIF and TIFF. A code's string is never stored: it is a stretch of the output, where it was
//! written first. A new code is the previous string and the byte after it, which lie there together.

/// Codes have 12 bits at most.
const CODES: usize = 1 << 12;
/// Strings are copied in steps of this many bytes, up to one byte less than a step too far.
const STEP: usize = 16;

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
    /// Bytes after the output that mean nothing, for copies that go too far.
    pub const SLACK: usize = 2 * STEP;
    /// Bytes that the buffer takes besides the output.
    pub const EXTRA: usize = Self::LITERALS + Self::SLACK;

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

    /// The same and [`SLACK`](Self::SLACK).
    pub fn with_slack(&self) -> &[u8] {
        &self.data[Self::LITERALS..][..self.len + Self::SLACK]
    }

    /// The same, to be written to by others.
    pub fn with_slack_mut(&mut self) -> &mut [u8] {
        &mut self.data[Self::LITERALS..][..self.len + Self::SLACK]
    }
}

/// Where a string lies in the output: its start above 16 bits of its length.
#[derive(Clone, Copy)]
struct Stretch(u64);

impl Stretch {
    const NONE: Self = Self(0);

    fn new(start: usize, len: usize) -> Self {
        Self((start as u64) << 16 | len as u64)
    }

    fn start(self) -> usize {
        (self.0 >> 16) as usize
    }

    /// At most 4096.
    fn len(self) -> usize {
        usize::from(self.0 as u16)
    }

    /// The same with the byte after it.
    fn longer(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The state between two runs over parts of one stream.
pub(super) struct Decoder {
    /// Each code's string, and a place for those that there are no codes for; no string for the codes that are
    /// commands.
    strings: Box<[Stretch; CODES + 1]>,
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
    /// Bits of a code, at most 12.
    width: u32,
    /// The code that comes into being with the next string.
    next: usize,
    /// The value of `next` at which codes become wider.
    grow: usize,
    /// The previous string, which ends with the output; none after a clear code.
    previous: Stretch,
}

impl State {
    /// Takes as many bits as there is room for, where there are eight bytes to take them from.
    #[inline(always)]
    fn take_word<const TIFF: bool>(&mut self, input: &mut &[u8]) -> bool {
        let Some((word, _)) = input.split_first_chunk() else { return false };
        self.bits |= if TIFF {
            u64::from_be_bytes(*word) >> self.count
        } else {
            u64::from_le_bytes(*word) << self.count
        };
        *input = &input[(63 - self.count as usize) / 8..];
        self.count |= 56;
        true
    }

    /// Takes as many bits as there are and there is room for; whether they are enough for a code.
    fn take<const TIFF: bool>(&mut self, input: &mut &[u8]) -> bool {
        if self.take_word::<TIFF>(input) {
            return true;
        }
        while let [byte, rest @ ..] = *input
            && self.count <= 56
        {
            let byte = u64::from(*byte);
            self.bits |= if TIFF { byte << (56 - self.count) } else { byte << self.count };
            *input = rest;
            self.count += 8;
        }
        self.count >= self.width
    }

    /// The next code, which stays.
    #[inline(always)]
    fn code<const TIFF: bool>(&self) -> usize {
        (if TIFF { self.bits >> (64 - self.width) } else { self.bits & ((1 << self.width) - 1) }) as usize
    }

    /// Passes over the next code.
    #[inline(always)]
    fn consume<const TIFF: bool>(&mut self) {
        self.bits = if TIFF { self.bits << self.width } else { self.bits >> self.width };
        self.count -= self.width;
    }
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
        let state = State { bits: 0, count: 0, width: 0, next: 0, grow: 0, previous: Stretch::NONE };
        let strings = Box::new([Stretch::NONE; CODES + 1]);
        let mut decoder = Self { strings, tiff, literal_bits, state };
        for (literal, string) in decoder.strings[..1 << literal_bits].iter_mut().enumerate() {
            *string = Stretch::new(literal, 1);
        }
        decoder.reset();
        decoder
    }

    /// Makes the decoder ready for the beginning of a stream.
    pub fn reset(&mut self) {
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
            previous: Stretch::NONE,
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
        let full = Output::LITERALS + output.len;
        let data = &mut output.data[..full + STEP];
        let mut at = Output::LITERALS + output.done;
        let progress = loop {
            self.run_of_strings::<TIFF>(&mut input, data, &mut at);
            if at >= full {
                break Progress::Full;
            }
            let State { width, next, previous, .. } = self.state;
            if self.state.count < width && !self.state.take::<TIFF>(&mut input) {
                break Progress::NeedsInput;
            }
            let code = self.state.code::<TIFF>();
            self.state.consume::<TIFF>();
            let string = if code == clear {
                self.state = self.cleared(self.state.bits, self.state.count);
                continue;
            } else if code == clear + 1 {
                break Progress::EndCode;
            } else if code < next {
                self.strings[code]
            } else if code == next && previous.len() > 0 {
                // The previous string and its own first byte, which comes after it.
                previous.longer()
            } else {
                break Progress::BadCode;
            };
            let len = string.len();
            copy(data, string.start(), len, at, full);
            if code == next {
                data[full.min(at + len - 1)] = data[at];
            }
            if previous.len() > 0 {
                if next < CODES {
                    self.strings[next] = previous.longer();
                    self.state.next += 1;
                    if self.state.next == self.state.grow && width < 12 {
                        self.state.width += 1;
                        self.state.grow = (1 << self.state.width) - usize::from(TIFF);
                    }
                } else if TIFF {
                    // Decoders differ in how long they put up with a full table.
                    break Progress::BadCode;
                }
            }
            self.state.previous = Stretch::new(at, len);
            at += len;
        };
        output.done = at.min(full) - Output::LITERALS;
        progress
    }

    /// Decodes codes of known strings up to the one that makes codes wider, as far as there are eight bytes of
    /// input and room. It is apart, and not inlined, so that all that it works with stays in registers.
    #[inline(never)]
    fn run_of_strings<const TIFF: bool>(&mut self, input: &mut &[u8], data: &mut [u8], at: &mut usize) {
        let mut state = self.state;
        let is_full = state.next == CODES;
        if state.previous.len() == 0 || (TIFF && is_full) {
            return;
        }
        let (mut rest, mut end) = (*input, *at);
        // In a full table the place after it takes what no code stands for.
        let step = usize::from(!is_full);
        let last = if state.width < 12 { state.grow - 1 } else { CODES + usize::from(is_full) };
        // A string that begins at the end of the output finds no room.
        let all_but_one = data.len() - 1;
        let data = &mut data[..all_but_one];
        while state.next < last {
            if state.count < state.width && !state.take_word::<TIFF>(&mut rest) {
                break;
            }
            let code = state.code::<TIFF>();
            let string = self.strings[code % CODES];
            let (start, len) = (string.start(), string.len());
            if code >= state.next || len == 0 {
                break;
            }
            let Some(&bytes) = data.get(start..start + STEP).and_then(<[u8]>::first_chunk::<STEP>) else {
                break;
            };
            let Some(place) = data.get_mut(end..end + STEP).and_then(<[u8]>::first_chunk_mut) else { break };
            *place = bytes;
            if len > STEP {
                if end + len > data.len() {
                    break;
                }
                data.copy_within(start..start + len, end);
            }
            state.consume::<TIFF>();
            self.strings[state.next] = state.previous.longer();
            state.next += step;
            state.previous = Stretch::new(end, len);
            end += len;
        }
        self.state = state;
        (*input, *at) = (rest, end);
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
mod tests;
