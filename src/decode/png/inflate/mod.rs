//! Deflate, from any place where a block begins, and of bytes before it that need not be known.
//!
//! It is as strict as it can be: what it refuses may be sound, and is for another inflater to judge.

mod bits;
mod codes;
mod find;

use bits::{Bits, Near};
pub(super) use find::Search;

use codes::{Codes, END, EXCEPTION, LITERAL};

use super::chunks::Chunks;

/// The distance that repeats reach back.
pub(super) const WINDOW: usize = 1 << 15;
/// Room in the output for what is written beyond the limit.
pub(super) const BEYOND: usize = 320;

/// What is inflated: bytes, or bytes and what stands for one.
pub(super) trait Unit: Copy {
    /// The two literals of an entry.
    fn pair(entry: u32) -> [Self; 2];
    fn of(byte: u8) -> Self;
}

impl Unit for u8 {
    #[inline(always)]
    fn pair(entry: u32) -> [u8; 2] {
        [(entry >> 16) as u8, (entry >> 24) as u8]
    }

    fn of(byte: u8) -> Self {
        byte
    }
}

impl Unit for u16 {
    #[inline(always)]
    fn pair(entry: u32) -> [u16; 2] {
        [(entry >> 16) as u16 & 255, (entry >> 24) as u16]
    }

    fn of(byte: u8) -> Self {
        byte.into()
    }
}

/// Where a stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Before the head of a block.
    Head,
    /// In a block with codes of its own.
    Codes,
    /// In a block with the fixed codes.
    Fixed,
    /// In a block of so many bytes.
    Stored(usize),
    /// After the last block.
    Over,
}

/// Data that break the rules, or are not all there.
#[derive(Debug)]
pub(super) struct Fault;

pub(super) struct Inflater<'a> {
    bits: Bits<'a>,
    codes: Codes,
    /// Built once: short blocks with these and others in turn are cheap to write.
    fixed: Option<Codes>,
    state: State,
    /// Whether the present block is the last.
    is_last: bool,
}

impl<'a> Inflater<'a> {
    /// The zlib stream that begins with the first of `chunks`.
    pub fn new(chunks: Chunks<'a>) -> Self {
        let bits = Bits::new(chunks);
        Self { bits, codes: Codes::new(), fixed: None, state: State::Head, is_last: false }
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// Bits before this place.
    pub fn position(&self) -> u64 {
        self.bits.position()
    }

    /// Reads the head of the zlib stream.
    pub fn begin(&mut self) -> Result<(), Fault> {
        let head = self.bits.take(16).ok_or(Fault)?;
        let [first, second] = [head & 255, head >> 8];
        let sound = first & 15 == 8 && first >> 4 <= 7 && second & 32 == 0 && (first << 8 | second) % 31 == 0;
        if sound { Ok(()) } else { Err(Fault) }
    }

    /// Reads the checksum after the last block.
    pub fn checksum(&mut self) -> Result<u32, Fault> {
        self.bits.align();
        Ok(self.bits.take(32).ok_or(Fault)?.swap_bytes())
    }

    /// Inflates into `out`, whose bytes before `end` are those before, until `limit` is reached or passed or a block
    /// ends, and returns the new end. `out` has [`BEYOND`] units more than `limit`.
    pub fn inflate<U: Unit>(&mut self, out: &mut [U], end: usize, limit: usize) -> Result<usize, Fault> {
        if self.state == State::Head {
            self.head()?;
        }
        match self.state {
            State::Head | State::Over => Ok(end),
            State::Codes | State::Fixed => self.decode(out, end, limit),
            State::Stored(left) => self.copy(out, end, limit, left),
        }
    }

    fn head(&mut self) -> Result<(), Fault> {
        self.is_last = self.bits.take(1).ok_or(Fault)? == 1;
        match self.bits.take(2).ok_or(Fault)? {
            0 => {
                self.bits.align();
                let lengths = self.bits.take(32).ok_or(Fault)?;
                let [length, inverse] = [lengths as u16, (lengths >> 16) as u16];
                if length != !inverse {
                    return Err(Fault);
                }
                self.state = State::Stored(length.into());
            }
            1 => {
                self.fixed.get_or_insert_with(Codes::fixed);
                self.state = State::Fixed;
            }
            2 => {
                self.codes.read(&mut self.bits).ok_or(Fault)?;
                self.state = State::Codes;
            }
            _ => return Err(Fault),
        }
        Ok(())
    }

    fn end_block(&mut self) {
        self.state = if self.is_last { State::Over } else { State::Head };
    }

    fn copy<U: Unit>(
        &mut self,
        out: &mut [U],
        mut end: usize,
        limit: usize,
        mut left: usize,
    ) -> Result<usize, Fault> {
        while left > 0 && end < limit {
            let most = left.min(limit - end);
            let at_hand;
            let bytes = if self.bits.near.count > 0 {
                at_hand = [self.bits.take(8).ok_or(Fault)? as u8];
                &at_hand[..]
            } else {
                self.bits.bytes(most)
            };
            if bytes.is_empty() {
                return Err(Fault);
            }
            out[end..][..bytes.len()].iter_mut().zip(bytes).for_each(|(out, &byte)| *out = U::of(byte));
            end += bytes.len();
            left -= bytes.len();
        }
        self.state = State::Stored(left);
        if left == 0 {
            self.end_block();
        }
        Ok(end)
    }

    fn decode<U: Unit>(&mut self, out: &mut [U], mut end: usize, limit: usize) -> Result<usize, Fault> {
        let codes = match &self.fixed {
            Some(fixed) if self.state == State::Fixed => fixed,
            _ => &self.codes,
        };
        let mut is_over = false;
        while end < limit && !is_over {
            self.bits.refill();
            is_over = if self.bits.near.is_long() {
                let mut near = self.bits.near;
                let stopped = decode_fast(codes, &mut near, out, &mut end, limit);
                self.bits.near = near;
                stopped?
            } else {
                decode_one(codes, &mut self.bits.near, out, &mut end)?
            };
        }
        if is_over {
            self.end_block();
        }
        Ok(end)
    }
}

/// Decodes one entry with care; `true` is the end of the block.
fn decode_one<U: Unit>(
    codes: &Codes,
    near: &mut Near<'_>,
    out: &mut [U],
    end: &mut usize,
) -> Result<bool, Fault> {
    let entry = codes.literal(near.word);
    let is_over = entry & END != 0;
    let mut taken = entry & 255;
    if entry & LITERAL != 0 {
        put(out, end, entry);
    } else if !is_over {
        let (length, distance, bits) = codes.repeat(entry, near.word)?;
        taken = bits;
        repeat(out, end, length, distance)?;
    }
    if taken > near.count {
        return Err(Fault);
    }
    near.consume(taken);
    Ok(is_over)
}

/// Decodes until the limit is reached or passed, the chunk is almost over, or the block is: then it is `true`.
#[inline(never)]
fn decode_fast<U: Unit>(
    codes: &Codes,
    bits: &mut Near<'_>,
    out: &mut [U],
    place: &mut usize,
    limit: usize,
) -> Result<bool, Fault> {
    let (mut near, mut end) = (*bits, *place);
    let mut is_over = false;
    near.refill();
    let mut entry = codes.index(near.word);
    while end < limit && near.is_long() {
        near.refill();
        // Four codes of the index's length are fewer bits than there are; what is looked up next is in what remains.
        if entry & LITERAL != 0 {
            put(out, &mut end, entry);
            near.consume(entry & 255);
            entry = codes.index(near.word);
            if entry & LITERAL != 0 {
                put(out, &mut end, entry);
                near.consume(entry & 255);
                entry = codes.index(near.word);
                if entry & LITERAL != 0 {
                    put(out, &mut end, entry);
                    near.consume(entry & 255);
                    entry = codes.index(near.word);
                    if entry & LITERAL != 0 {
                        put(out, &mut end, entry);
                        near.consume(entry & 255);
                        entry = codes.index(near.word);
                        continue;
                    }
                }
            }
            near.refill();
        }
        if entry & EXCEPTION != 0 {
            entry = codes.long_literal(entry, near.word);
            if entry & LITERAL != 0 {
                put(out, &mut end, entry);
                near.consume(entry & 255);
                entry = codes.index(near.word);
                continue;
            }
            if entry & END != 0 {
                near.consume(entry & 255);
                is_over = true;
                break;
            }
        }
        let (length, distance, taken) = codes.repeat(entry, near.word)?;
        near.consume(taken);
        entry = codes.index(near.word);
        repeat(out, &mut end, length, distance)?;
    }
    (*bits, *place) = (near, end);
    Ok(is_over)
}

#[inline(always)]
fn put<U: Unit>(out: &mut [U], end: &mut usize, entry: u32) {
    out[*end..][..2].copy_from_slice(&U::pair(entry));
    *end += (entry >> 8 & 15) as usize;
}

/// Repeats what is `distance` before the end, 16 units at a time.
#[inline(always)]
fn repeat<U: Unit>(out: &mut [U], end: &mut usize, length: usize, distance: usize) -> Result<(), Fault> {
    let from = end.checked_sub(distance).ok_or(Fault)?;
    if distance == 1 {
        let unit = out[from];
        out[*end..][..length].fill(unit);
    } else {
        out.copy_within(from..from + 16, *end);
        if length > 16 || distance < 16 {
            // What is repeated is there up to `distance` units beyond the end.
            for i in (0..length).step_by(distance.min(16)).skip(1) {
                out.copy_within(from + i..from + i + 16, *end + i);
            }
        }
    }
    *end += length;
    Ok(())
}
