//! The first directory of an EXIF block, read as Pillow reads it, without a copy.
//!
//! A directory is a list of fields, and a field may refer to any bytes of the block: many fields to the same
//! bytes, too. One pass looks at each field and copies none. Where Pillow's versions differ, or raise, the
//! block is left to Pillow.

use crate::error::{Error, LimitKind, Result};

const PREFIX: &[u8] = b"Exif\0\0";
const X_RESOLUTION: u16 = 0x011a;
const ORIENTATION: u16 = 0x0112;
const RESOLUTION_UNIT: u16 = 0x0128;

/// Bytes that Pillow may copy out of one block. Its versions before 13 copy the bytes of each field, so that
/// 64 KB of EXIF grow to 4 GB.
const MAX_COPIED: u64 = 64 << 20;

/// The value of the orientation, 0 where it is not a number of 1 or more; none where there is no such field.
///
/// `block` is what a format calls EXIF, without the prefix that the format itself has.
pub(super) fn orientation(block: &[u8]) -> Result<Option<u64>> {
    let Some(directory) = Directory::of(block)? else { return Ok(None) };
    let value = |rules| directory.field(ORIENTATION, rules).map(|field| field.number());
    match [Rules::Older, Rules::Newer].map(value) {
        [older, newer] if older == newer => Ok(newer),
        _ => {
            check_exif(block)?;
            Err(odd("an orientation that Pillow's versions read differently"))
        }
    }
}

/// Whether Pillow opens a JPEG with this block, of which it asks the resolution if no other segment has it.
pub(super) fn has_sound_resolution(block: &[u8]) -> bool {
    let Ok(Some(directory)) = Directory::of(block) else { return true };
    [Rules::Older, Rules::Newer].into_iter().all(|rules| {
        directory.field(RESOLUTION_UNIT, rules).is_none()
            || directory.field(X_RESOLUTION, rules).is_none_or(|field| !field.has_no_second_item())
    })
}

/// Refuses an EXIF block out of which Pillow might copy far more than it is long. To be asked before Pillow
/// is asked for an orientation.
///
/// ```
/// use clipprep::decode::check_exif;
///
/// assert!(check_exif(b"Exif\0\0II*\0\x08\0\0\0\0\0").is_ok());
/// ```
pub fn check_exif(block: &[u8]) -> Result<()> {
    let (mut rest, mut copied) = (block, 0);
    // Pillow takes several prefixes off, its versions before 13 any number, and copies what follows each.
    while let Some(data) = rest.strip_prefix(PREFIX) {
        rest = data;
        copied += rest.len() as u64;
    }
    if let Ok(Some(directory)) = Directory::of(rest) {
        copied += directory.fields(Rules::Older).map(|field| field.bytes.len() as u64).sum::<u64>();
    }
    if copied > MAX_COPIED {
        return Err(Error::limit(LimitKind::ExifFields, MAX_COPIED, copied));
    }
    Ok(())
}

/// How versions of Pillow read a directory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rules {
    /// Up to 12: of several fields with one tag the last counts.
    Older,
    /// From 13 on: the first counts, and fields that are longer than the block together are passed over.
    Newer,
}

/// Tags that have been seen.
struct Tags([u64; 1024]);

impl Tags {
    fn contains(&self, tag: u16) -> bool {
        self.0[usize::from(tag / 64)] >> (tag % 64) & 1 == 1
    }

    fn insert(&mut self, tag: u16) {
        self.0[usize::from(tag / 64)] |= 1 << (tag % 64);
    }
}

/// The first directory of a block.
struct Directory<'a> {
    data: &'a [u8],
    big_endian: bool,
    at: u64,
}

impl<'a> Directory<'a> {
    /// None for an empty block; an error where Pillow raises one, or its versions differ.
    fn of(block: &'a [u8]) -> Result<Option<Self>> {
        let data = block.strip_prefix(PREFIX).unwrap_or(block);
        if data.is_empty() {
            return Ok(None);
        }
        // Pillow takes the number in a header in either order of bytes.
        let big_endian = match data.first_chunk() {
            Some(b"MM\0*" | b"MM*\0" | b"MM\0+") => true,
            Some(b"II*\0" | b"II\0*") => false,
            _ => return Err(odd("another header")),
        };
        let mut directory = Self { data, big_endian, at: 0 };
        directory.at = directory.long(4).ok_or_else(|| odd("a header cut short"))?;
        Ok(Some(directory))
    }

    /// The field of that tag.
    fn field(&self, tag: u16, rules: Rules) -> Option<Field<'_>> {
        self.fields(rules).filter(|field| field.tag == tag).last()
    }

    /// The fields that Pillow takes, in their order.
    fn fields(&self, rules: Rules) -> impl Iterator<Item = Field<'_>> {
        let count = self.short(self.at).unwrap_or(0);
        let mut entries = (0..u64::from(count)).map(|index| self.at + 2 + 12 * index);
        let mut seen = Tags([0; 1024]);
        let mut total = 0;
        std::iter::from_fn(move || {
            loop {
                let at = entries.next()?;
                let inside = self.bytes(at + 8, 4)?;
                let (tag, kind) = (self.short(at)?, self.short(at + 2)?);
                if rules == Rules::Newer && seen.contains(tag) {
                    continue;
                }
                let Some(unit) = unit(kind) else { continue };
                let len = unit * self.long(at + 4)?;
                let bytes = if len <= 4 {
                    &inside[..len as usize]
                } else {
                    total += len;
                    if rules == Rules::Newer && total > self.data.len() as u64 {
                        continue;
                    }
                    // Pillow reads no further than to a field that is not whole.
                    self.bytes(self.long(at + 8)?, len)?
                };
                if !bytes.is_empty() {
                    seen.insert(tag);
                    return Some(Field { tag, kind, bytes, big_endian: self.big_endian });
                }
            }
        })
    }

    fn bytes(&self, at: u64, len: u64) -> Option<&'a [u8]> {
        let (start, end) = (usize::try_from(at).ok()?, usize::try_from(at + len).ok()?);
        self.data.get(start..end)
    }

    fn short(&self, at: u64) -> Option<u16> {
        let bytes = self.bytes(at, 2)?.first_chunk()?;
        Some(if self.big_endian { u16::from_be_bytes(*bytes) } else { u16::from_le_bytes(*bytes) })
    }

    fn long(&self, at: u64) -> Option<u64> {
        let bytes = self.bytes(at, 4)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) }.into())
    }
}

const BYTE: u16 = 1;
const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;
const SIGNED_BYTE: u16 = 6;
const UNDEFINED: u16 = 7;
const SIGNED_SHORT: u16 = 8;
const SIGNED_LONG: u16 = 9;
const SIGNED_RATIONAL: u16 = 10;
const FLOAT: u16 = 11;
const DOUBLE: u16 = 12;
const IFD: u16 = 13;
const LONG8: u16 = 16;

/// Bytes of one value, for the types that Pillow reads.
fn unit(kind: u16) -> Option<u64> {
    match kind {
        BYTE | ASCII | SIGNED_BYTE | UNDEFINED => Some(1),
        SHORT | SIGNED_SHORT => Some(2),
        LONG | SIGNED_LONG | FLOAT | IFD => Some(4),
        RATIONAL | SIGNED_RATIONAL | DOUBLE | LONG8 => Some(8),
        _ => None,
    }
}

/// A field with at least one value.
struct Field<'a> {
    tag: u16,
    kind: u16,
    bytes: &'a [u8],
    big_endian: bool,
}

impl Field<'_> {
    /// The first value, if it is a whole number of 1 or more, and else 0. Pillow compares values, so that
    /// fractions and floats may be whole numbers; text and bytes are none.
    fn number(&self) -> u64 {
        let signed = |value: i64| u64::try_from(value).unwrap_or(0);
        let quotient = |above: i64, below: i64| match above.checked_rem(below) {
            Some(0) => signed(above / below),
            _ => 0,
        };
        let float = |value: f64| if value.fract() == 0.0 { value as u64 } else { 0 };
        match self.kind {
            SHORT => u16::from_be_bytes(self.big_endian_bytes(0)).into(),
            LONG | IFD => u32::from_be_bytes(self.big_endian_bytes(0)).into(),
            LONG8 => u64::from_be_bytes(self.big_endian_bytes(0)),
            SIGNED_BYTE => signed(i8::from_be_bytes(self.big_endian_bytes(0)).into()),
            SIGNED_SHORT => signed(i16::from_be_bytes(self.big_endian_bytes(0)).into()),
            SIGNED_LONG => signed(i32::from_be_bytes(self.big_endian_bytes(0)).into()),
            RATIONAL => {
                let [above, below] = [0, 4].map(|at| u32::from_be_bytes(self.big_endian_bytes(at)));
                quotient(above.into(), below.into())
            }
            SIGNED_RATIONAL => {
                let [above, below] = [0, 4].map(|at| i32::from_be_bytes(self.big_endian_bytes(at)));
                quotient(above.into(), below.into())
            }
            FLOAT => float(f32::from_be_bytes(self.big_endian_bytes(0)).into()),
            DOUBLE => float(f64::from_be_bytes(self.big_endian_bytes(0))),
            _ => 0,
        }
    }

    /// Bytes from `at` on, highest first.
    fn big_endian_bytes<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut bytes = self.bytes[at..].first_chunk().copied().unwrap_or([0; N]);
        if !self.big_endian {
            bytes.reverse();
        }
        bytes
    }

    /// Whether Pillow, which divides a resolution's first item by its second, finds no second one. It forgives
    /// all other faults.
    fn has_no_second_item(&self) -> bool {
        match self.kind {
            BYTE | UNDEFINED => self.bytes.len() == 1,
            ASCII => match self.bytes.strip_suffix(b"\0").unwrap_or(self.bytes) {
                [] => true,
                [first] => first.is_ascii_digit(),
                _ => false,
            },
            _ => false,
        }
    }
}

fn odd(found: &str) -> Error {
    Error::unsupported(format!("expected plain EXIF, found {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of fields (tag, type, count, value or place) and bytes after them.
    fn block(big_endian: bool, fields: &[(u16, u16, u32, [u8; 4])], rest: &[u8]) -> Vec<u8> {
        let short = |value: u16| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let long = |value: u32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let mut block = if big_endian { b"MM\0*".to_vec() } else { b"II*\0".to_vec() };
        block.extend(long(8));
        block.extend(short(fields.len() as u16));
        for &(tag, kind, count, value) in fields {
            block.extend(short(tag).into_iter().chain(short(kind)).chain(long(count)).chain(value));
        }
        block.extend([0; 4]);
        block.extend(rest);
        block
    }

    fn value(big_endian: bool, kind: u16, bytes: &[u8]) -> Option<u64> {
        let mut inside = [0; 4];
        let (inside, rest) = match bytes.len() {
            len @ 0..=4 => {
                inside[..len].copy_from_slice(bytes);
                (inside, &[][..])
            }
            _ => (if big_endian { [0, 0, 0, 26] } else { [26, 0, 0, 0] }, bytes),
        };
        let count = bytes.len() as u32 / unit(kind).unwrap_or(1) as u32;
        orientation(&block(big_endian, &[(ORIENTATION, kind, count, inside)], rest)).unwrap()
    }

    #[test]
    fn numbers_of_every_type_in_both_orders() {
        assert_eq!(value(false, SHORT, &[6, 0]), Some(6));
        assert_eq!(value(true, SHORT, &[0, 6, 0, 3]), Some(6));
        assert_eq!(value(true, LONG, &[0, 0, 0, 8]), Some(8));
        assert_eq!(value(false, IFD, &[8, 0, 0, 0]), Some(8));
        assert_eq!(value(false, LONG8, &[7, 0, 0, 0, 0, 0, 0, 0]), Some(7));
        assert_eq!(value(true, SIGNED_BYTE, &[5]), Some(5));
        assert_eq!(value(false, SIGNED_SHORT, &[0xfa, 0xff]), Some(0));
        assert_eq!(value(false, SIGNED_LONG, &[4, 0, 0, 0]), Some(4));
        assert_eq!(value(true, RATIONAL, &[0, 0, 0, 12, 0, 0, 0, 2]), Some(6));
        assert_eq!(value(true, RATIONAL, &[0, 0, 0, 13, 0, 0, 0, 2]), Some(0));
        assert_eq!(value(true, RATIONAL, &[0, 0, 0, 12, 0, 0, 0, 0]), Some(0));
        assert_eq!(value(true, SIGNED_RATIONAL, &[255, 255, 255, 250, 255, 255, 255, 255]), Some(6));
        assert_eq!(value(true, FLOAT, &3_f32.to_be_bytes()), Some(3));
        assert_eq!(value(false, DOUBLE, &2.5_f64.to_le_bytes()), Some(0));
        for kind in [BYTE, ASCII, UNDEFINED] {
            assert_eq!(value(false, kind, &[6]), Some(0));
        }
        for kind in [0, 14, 15, 17, 99] {
            assert_eq!(value(false, kind, &[6, 0]), None);
        }
    }

    #[test]
    fn fields_before_one_that_is_not_whole() {
        let outside = (0x10f, ASCII, 99, [200, 0, 0, 0]);
        let six = (ORIENTATION, SHORT, 1, [6, 0, 0, 0]);
        assert_eq!(orientation(&block(false, &[six, outside], &[])).unwrap(), Some(6));
        // Pillow 13 passes over the first field, which is longer than the block; older versions stop there.
        assert!(matches!(orientation(&block(false, &[outside, six], &[])), Err(Error::Unsupported(_))));
        assert_eq!(orientation(&block(false, &[outside, six], &[0; 90])).unwrap(), None);
    }

    #[test]
    fn several_orientations() {
        let [six, three] = [6, 3].map(|value| (ORIENTATION, SHORT, 1, [value, 0, 0, 0]));
        assert_eq!(orientation(&block(false, &[six, six], &[])).unwrap(), Some(6));
        assert!(orientation(&block(false, &[six, three], &[])).is_err());
    }

    /// As many fields as fit, which all refer to the same bytes, and two orientations.
    fn bomb(len: usize) -> Vec<u8> {
        let mut fields: Vec<_> =
            (0..=u16::MAX - 1).map(|tag| (tag, UNDEFINED, len as u32, [8, 0, 0, 0])).collect();
        fields[0] = (ORIENTATION, SHORT, 1, [6, 0, 0, 0]);
        block(false, &fields, &vec![0; len])
    }

    #[test]
    fn a_bomb_is_not_left_to_pillow() {
        assert!(matches!(orientation(&bomb(1000)), Err(Error::Unsupported(_))));
        for len in [1 << 11, 1 << 20] {
            let found = orientation(&bomb(len));
            assert!(matches!(found, Err(Error::Limit { kind: LimitKind::ExifFields, .. })), "{found:?}");
        }
    }

    #[test]
    fn prefixes_hide_no_bomb_and_are_none() {
        for prefixes in 0..4 {
            assert!(check_exif(&[PREFIX.repeat(prefixes), bomb(1 << 11)].concat()).is_err(), "{prefixes}");
            assert!(check_exif(&[PREFIX.repeat(prefixes), bomb(100)].concat()).is_ok(), "{prefixes}");
        }
        assert!(check_exif(&PREFIX.repeat(100)).is_ok());
        assert!(matches!(check_exif(&PREFIX.repeat(10_000)), Err(Error::Limit { .. })));
    }
}
