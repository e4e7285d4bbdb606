//! The first directory of a TIFF: its entries, each a tag and its values.
//!
//! Pillow and libtiff both read it, and each forgives other faults. What is not as the specification has it is
//! left to them.

use crate::error::{Error, Result};

/// Bytes of an entry: tag, type, count, and the values or where they are.
const ENTRY: usize = 12;
/// Values of no more bytes stand in the entry itself.
const INLINE: usize = 4;
/// Bytes of a value by its type: from BYTE, which is 1, to DOUBLE.
const SIZES: [usize; 13] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];

/// Types of values.
const BYTE: u16 = 1;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const UNDEFINED: u16 = 7;

/// A directory's entries, in the order of their tags.
pub(super) struct Directory<'a> {
    order: Order,
    entries: Vec<Entry<'a>>,
}

/// The values of a tag.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub tag: u16,
    kind: u16,
    /// The values as they stand in the file.
    pub data: &'a [u8],
}

impl Entry<'_> {
    /// Whether its values are bytes of no meaning here.
    pub fn is_bytes(&self) -> bool {
        matches!(self.kind, BYTE | UNDEFINED)
    }
}

/// The order of bytes in numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Low byte first: "II".
    Little,
    /// High byte first: "MM".
    Big,
}

impl Order {
    fn short(self, bytes: [u8; 2]) -> u16 {
        if self == Self::Little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }
    }

    fn long(self, bytes: [u8; 4]) -> u32 {
        if self == Self::Little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    }
}

/// A file that is for Pillow to judge.
pub(super) fn odd(expected: &str, found: impl std::fmt::Display) -> Error {
    Error::unsupported(format!("expected a TIFF with {expected}, found {found}"))
}

impl<'a> Directory<'a> {
    /// Reads the first directory of a file.
    pub fn read(file: &'a [u8]) -> Result<Self> {
        let order = match file {
            [b'I', b'I', 42, 0, ..] => Order::Little,
            [b'M', b'M', 0, 42, ..] => Order::Big,
            _ => return Err(odd("a plain header", "another")),
        };
        let at = order.long(*field(file, 4)?) as usize;
        if at < 8 {
            return Err(odd("a directory after its header", format_args!("one at {at}")));
        }
        Self::at(file, order, at)
    }

    /// Reads the directory at a position.
    fn at(file: &'a [u8], order: Order, at: usize) -> Result<Self> {
        let count = usize::from(order.short(*field(file, at)?));
        // After the entries stands where the next directory is.
        field::<4>(file, at.saturating_add(2 + ENTRY * count))?;
        let mut entries: Vec<Entry<'a>> = Vec::with_capacity(count);
        let mut apart = 0;
        for entry in file[at + 2..].as_chunks::<ENTRY>().0.iter().take(count) {
            let [t0, t1, k0, k1, count @ .., v0, v1, v2, v3] = *entry;
            let (tag, kind) = (order.short([t0, t1]), order.short([k0, k1]));
            let count = order.long(count) as usize;
            let size = SIZES.get(usize::from(kind)).copied().unwrap_or(0);
            let len = size.saturating_mul(count);
            if len == 0 {
                return Err(odd("values", format_args!("tag {tag} with {count} of type {kind}")));
            }
            if entries.last().is_some_and(|last| last.tag >= tag) {
                return Err(odd("tags in order", format_args!("tag {tag} after another")));
            }
            let data = if len <= INLINE {
                // Where they are in the file, since they are borrowed from it.
                let from = at + 2 + ENTRY * entries.len() + ENTRY - INLINE;
                &file[from..from + len]
            } else {
                apart = len.saturating_add(apart);
                let from = order.long([v0, v1, v2, v3]) as usize;
                let data = file.get(from..from.saturating_add(len));
                // Pillow reads no more than a file's length of them.
                data.filter(|_| apart <= file.len()).ok_or_else(|| {
                    odd("its values inside the file", format_args!("tag {tag} with {len} bytes"))
                })?
            };
            entries.push(Entry { tag, kind, data });
        }
        Ok(Self { order, entries })
    }

    /// Reads the directory whose position a tag gives, if there is that tag: Pillow does.
    pub fn inner(&self, file: &'a [u8], tag: u16) -> Result<()> {
        match self.number(tag)? {
            Some(at) => Self::at(file, self.order, at as usize).map(drop),
            None => Ok(()),
        }
    }

    /// All entries.
    pub fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// The entry with this tag.
    pub fn get(&self, tag: u16) -> Option<Entry<'a>> {
        self.entries.binary_search_by_key(&tag, |entry| entry.tag).ok().map(|at| self.entries[at])
    }

    /// The numbers of a tag; none where there is no such tag.
    pub fn numbers(&self, tag: u16) -> Result<Option<Numbers<'a>>> {
        let Some(Entry { kind, data, .. }) = self.get(tag) else { return Ok(None) };
        if !matches!(kind, SHORT | LONG) {
            return Err(odd("numbers", format_args!("tag {tag} of type {kind}")));
        }
        Ok(Some(Numbers { order: self.order, short: kind == SHORT, data }))
    }

    /// The number of a tag, of which there has to be one; none where there is no such tag.
    pub fn number(&self, tag: u16) -> Result<Option<u32>> {
        match self.numbers(tag)? {
            None => Ok(None),
            Some(numbers) if numbers.len() == 1 => Ok(Some(numbers.get(0))),
            Some(numbers) => Err(odd("one number", format_args!("tag {tag} with {}", numbers.len()))),
        }
    }
}

/// Numbers of 16 or 32 bits.
#[derive(Clone, Copy)]
pub(super) struct Numbers<'a> {
    order: Order,
    short: bool,
    data: &'a [u8],
}

impl Numbers<'_> {
    /// The number of values.
    pub fn len(&self) -> usize {
        self.data.len() / if self.short { 2 } else { 4 }
    }

    /// The number at an index.
    ///
    /// # Panics
    /// When there are not as many.
    pub fn get(&self, index: usize) -> u32 {
        if self.short {
            self.order.short(self.data.as_chunks().0[index]).into()
        } else {
            self.order.long(self.data.as_chunks().0[index])
        }
    }

    /// Whether they have 16 bits.
    pub fn are_short(&self) -> bool {
        self.short
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.len()).map(|index| self.get(index))
    }
}

fn field<const N: usize>(file: &[u8], at: usize) -> Result<&[u8; N]> {
    file.get(at..)
        .and_then(<[u8]>::first_chunk)
        .ok_or_else(|| odd("a whole directory", format_args!("the end of the file at {}", file.len())))
}
