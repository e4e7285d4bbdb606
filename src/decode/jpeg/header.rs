//! The header of a JPEG file, read once: all that is known before the first scan's data.
//!
//! Pillow walks the segments before the first scan in Python before libjpeg does, and raises on some that libjpeg
//! forgives. A file on which the two might disagree is irregular here, and left to Pillow.

use std::ops::Range;

use super::huffman::Codes;
use super::markers::{
    COMMENT, DEFINE_ARITHMETIC, DEFINE_HUFFMAN, DEFINE_QUANTISATION, DEFINE_RESTART, END_OF_IMAGE, Marker,
    Markers, START_OF_SCAN, is_frame,
};
use super::pillow::reads_photoshop;
use crate::decode::exif::has_sound_resolution;
use crate::decode::metadata::{Metadata, joined};
use crate::error::{Error, Result};

const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// Segments of EXIF in a regular file. There is one, but for blocks of more than 64 KB.
const MOST_EXIF: usize = 64;

/// The natural position of each coefficient in its coded order (ITU T.81, figure A.6).
pub(super) const NATURAL: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// A component of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Component {
    pub id: u8,
    /// Sampling factors, horizontal and vertical.
    pub factors: (usize, usize),
    /// The number of its quantisation table.
    pub quantisation: usize,
}

/// The header of the one frame of a file.
#[derive(Clone, Debug)]
pub(super) struct FrameHeader {
    pub progressive: bool,
    pub arithmetic: bool,
    pub width: usize,
    pub height: usize,
    pub components: Vec<Component>,
}

/// A component of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ScanComponent {
    /// Its place among the frame's components.
    pub index: usize,
    /// The numbers of its tables.
    pub dc: usize,
    pub ac: usize,
}

/// The header of a scan.
#[derive(Clone, Debug)]
pub(super) struct ScanHeader {
    pub components: Vec<ScanComponent>,
    /// Its coefficients in coded order, first and last.
    pub spectrum: (u8, u8),
    /// The lowest bit of them that scans before it gave, and the lowest that it gives; 0 before the first scan.
    pub bits: (u8, u8),
    /// Where its data begin.
    pub data: usize,
}

/// Huffman tables by their numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    pub dc: [Option<Codes>; 4],
    pub ac: [Option<Codes>; 4],
}

/// How the components of a file are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colours {
    Grey,
    YCbCr,
    Rgb,
    Cmyk,
    Ycck,
}

/// The segments of a file before the data of its first scan.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub frame: FrameHeader,
    /// Quantisation tables in natural order, by their numbers.
    pub quantisation: [Option<[u16; 64]>; 4],
    pub tables: Tables,
    /// MCUs between restarts; 0 for none.
    pub restart_interval: u32,
    pub scan: ScanHeader,
    has_jfif: bool,
    /// Whether JFIF has a resolution.
    has_resolution: bool,
    /// Whether there are conditions of arithmetic coding, which libjpeg checks in any file.
    pub has_conditions: bool,
    /// The transform that Adobe's segment names.
    adobe: Option<u8>,
    exif: Vec<Range<usize>>,
    xmp: Option<Range<usize>>,
}

impl Header {
    /// The header of a file, which is not read again.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let mut frame = None;
        let (mut quantisation, mut tables) = (<[_; 4]>::default(), Tables::default());
        let (mut restart_interval, mut has_jfif, mut adobe) = (0, false, None);
        let (mut exif, mut xmp, mut has_resolution) = (Vec::new(), None, false);
        let mut has_conditions = false;
        let mut markers = Markers::new(bytes);
        while let Some(Marker { code, length, content }) = markers.next() {
            // A restart has no meaning here, and no length.
            if matches!(code, 0xd0..=0xd7) {
                continue;
            }
            // Tables may stand in an image of their own, before the one that has a frame.
            if code == END_OF_IMAGE && frame.is_none() && markers.start_image() {
                (restart_interval, has_jfif, adobe) = (0, false, None);
                continue;
            }
            if length < 2 {
                return Err(irregular(code));
            }
            let Some(data) = bytes.get(content.clone()) else { break };
            match code {
                START_OF_SCAN => {
                    let frame: FrameHeader = frame.ok_or_else(|| irregular(code))?;
                    let scan = read_scan(data, content.end, &frame).ok_or_else(|| fault("the first scan"))?;
                    return Ok(Self {
                        frame,
                        quantisation,
                        tables,
                        restart_interval,
                        scan,
                        has_jfif,
                        has_resolution,
                        has_conditions,
                        adobe,
                        exif,
                        xmp,
                    });
                }
                code if is_frame(code) && frame.is_none() => frame = Some(read_frame(code, data)?),
                DEFINE_HUFFMAN => read_tables(data, &mut tables).ok_or_else(|| fault("a Huffman table"))?,
                DEFINE_QUANTISATION => read_quantisation(data, &mut quantisation)?,
                DEFINE_RESTART => match *data {
                    [high, low] => restart_interval = u16::from_be_bytes([high, low]).into(),
                    _ => return Err(fault("a restart interval")),
                },
                0xe0 if data.starts_with(b"JFIF") && data.len() < 12 => return Err(irregular(code)),
                0xe2 if data.starts_with(b"ICC_PROFILE\0") && data.len() < 14 => return Err(irregular(code)),
                0xee if data.starts_with(b"Adobe") && data.len() < 12 => return Err(irregular(code)),
                0xe0 => {
                    has_jfif |= data.starts_with(b"JFIF\0") && data.len() >= 14;
                    has_resolution |= data.starts_with(b"JFIF") && matches!(data[7], 1 | 2);
                }
                0xed if !reads_photoshop(data) => return Err(irregular(code)),
                0xe1 if data.starts_with(EXIF) && exif.len() == MOST_EXIF => return Err(irregular(code)),
                // Pillow joins several EXIF segments, and keeps the last XMP.
                0xe1 if data.starts_with(EXIF) => exif.push(content.start + EXIF.len()..content.end),
                0xe1 if data.starts_with(XMP) => xmp = Some(content.start + XMP.len()..content.end),
                0xee if data.starts_with(b"Adobe") => adobe = Some(data[11]),
                DEFINE_ARITHMETIC => has_conditions = true,
                COMMENT | 0xe1..=0xef => {}
                _ => return Err(irregular(code)),
            }
        }
        Err(Error::truncated("JPEG", "its bytes end in the header"))
    }

    /// The pixels that each scan is for.
    pub fn pixels(&self) -> u64 {
        (self.frame.width as u64).saturating_mul(self.frame.height as u64)
    }

    /// Whether libjpeg takes the rows from several scans, so that it holds all coefficients.
    pub fn has_several_scans(&self) -> bool {
        self.frame.progressive || self.scan.components.len() < self.frame.components.len()
    }

    /// The bytes that libjpeg takes for the coefficients of a file of several scans.
    pub fn coefficient_bytes(&self) -> u64 {
        if !self.has_several_scans() {
            return 0;
        }
        let most = self.frame.most_factors();
        let blocks = self.frame.components.iter().map(|component| {
            let side = |side: usize, factor: usize, most: usize| {
                (side * factor).div_ceil(8 * most).next_multiple_of(factor) as u64
            };
            side(self.frame.width, component.factors.0, most.0)
                * side(self.frame.height, component.factors.1, most.1)
        });
        128 * blocks.sum::<u64>()
    }

    /// The colours of the components, by libjpeg's rules.
    pub fn colours(&self) -> Colours {
        let ids: Vec<u8> = self.frame.components.iter().map(|component| component.id).collect();
        match (ids.as_slice(), self.adobe) {
            ([_], _) => Colours::Grey,
            ([_, _, _], _) if self.has_jfif => Colours::YCbCr,
            ([_, _, _], Some(0)) | (b"RGB", None) => Colours::Rgb,
            ([_, _, _], _) => Colours::YCbCr,
            (_, None | Some(0)) => Colours::Cmyk,
            (_, Some(_)) => Colours::Ycck,
        }
    }

    /// EXIF and XMP of the file that the header was read from.
    pub fn metadata<'a>(&self, bytes: &'a [u8]) -> Result<Metadata<'a>> {
        let part = |range: &Range<usize>| bytes.get(range.clone()).unwrap_or_default();
        let xmp = self.xmp.as_ref().map(|range| part(range).into());
        Ok(Metadata { exif: joined(self.exif.iter().map(part))?, xmp })
    }

    /// Refuses a file that Pillow refuses over its resolution, which it takes from EXIF if JFIF has none.
    pub fn check_resolution(&self, bytes: &[u8]) -> Result<()> {
        if self.has_resolution || self.exif.is_empty() {
            return Ok(());
        }
        match self.metadata(bytes)?.exif {
            Some(exif) if !has_sound_resolution(&exif) => {
                Err(Error::unsupported("expected a resolution in EXIF that Pillow reads, found another"))
            }
            _ => Ok(()),
        }
    }
}

impl FrameHeader {
    /// The largest sampling factors of its components.
    pub fn most_factors(&self) -> (usize, usize) {
        let most = |factor: fn(&Component) -> usize| self.components.iter().map(factor).max().unwrap_or(1);
        (most(|component| component.factors.0), most(|component| component.factors.1))
    }
}

fn read_frame(marker: u8, data: &[u8]) -> Result<FrameHeader> {
    let &[8, high, low, wide_high, wide_low, count @ (1 | 3 | 4), ref components @ ..] = data else {
        return Err(irregular(marker));
    };
    let side = |high, low| usize::from(u16::from_be_bytes([high, low]));
    let (progressive, arithmetic) = match marker {
        0xc0 | 0xc1 => (false, false),
        0xc2 => (true, false),
        0xc9 => (false, true),
        0xca => (true, true),
        _ => return Err(fault(format_args!("a frame of a kind that is not read, {marker:#04x}"))),
    };
    let component = |&[id, factors, quantisation]: &[u8; 3]| Component {
        id,
        factors: (usize::from(factors >> 4), usize::from(factors & 15)),
        quantisation: quantisation.into(),
    };
    let (components, rest) = components.as_chunks();
    let components: Vec<Component> = components.iter().map(component).collect();
    let in_bounds = |factor| (1..=4).contains(&factor);
    if components.len() != usize::from(count)
        || !rest.is_empty()
        || components
            .iter()
            .any(|component| !in_bounds(component.factors.0) || !in_bounds(component.factors.1))
    {
        return Err(fault("its frame"));
    }
    let (width, height) = (side(wide_high, wide_low), side(high, low));
    Ok(FrameHeader { progressive, arithmetic, width, height, components })
}

/// `data` ends where the scan's data begin.
pub(super) fn read_scan(data: &[u8], end: usize, frame: &FrameHeader) -> Option<ScanHeader> {
    let [count, rest @ ..] = data else { return None };
    let (chosen, rest) = rest.split_at_checked(2 * usize::from(*count))?;
    let &[first, last, bits] = rest else { return None };
    let mut components: Vec<ScanComponent> = Vec::new();
    for &[id, tables] in chosen.as_chunks().0 {
        // Of components of one name, each is meant once, in turn.
        let index = (0..frame.components.len()).find(|&index| {
            frame.components[index].id == id && components.iter().all(|component| component.index != index)
        })?;
        components.push(ScanComponent { index, dc: usize::from(tables >> 4), ac: usize::from(tables & 15) });
    }
    if components.is_empty() {
        return None;
    }
    Some(ScanHeader { components, spectrum: (first, last), bits: (bits >> 4, bits & 15), data: end })
}

/// Reads the tables of a segment; a later one of the same number takes the place of an earlier one.
pub(super) fn read_tables(mut data: &[u8], tables: &mut Tables) -> Option<()> {
    while let [kind, rest @ ..] = data {
        let (counts, rest) = rest.split_first_chunk::<16>()?;
        let (symbols, rest) = rest.split_at_checked(counts.iter().map(|&count| usize::from(count)).sum())?;
        let tables = match kind >> 4 {
            0 => &mut tables.dc,
            1 => &mut tables.ac,
            _ => return None,
        };
        *tables.get_mut(usize::from(kind & 15))? = Some(Codes::new(counts, symbols)?);
        data = rest;
    }
    Some(())
}

/// Reads tables of 64 bytes or 64 words, which have to fill their segment.
fn read_quantisation(mut data: &[u8], tables: &mut [Option<[u16; 64]>; 4]) -> Result<()> {
    while let [kind, rest @ ..] = data {
        let len = if kind >> 4 == 0 { 64 } else { 128 };
        let Some((values, rest)) = rest.split_at_checked(len) else {
            return Err(irregular(DEFINE_QUANTISATION));
        };
        let slot = tables.get_mut(usize::from(kind & 15)).ok_or_else(|| fault("a quantisation table"))?;
        let table = slot.insert([0; 64]);
        for (i, place) in NATURAL.iter().enumerate() {
            table[usize::from(*place)] = match len {
                64 => values[i].into(),
                _ => u16::from_be_bytes([values[2 * i], values[2 * i + 1]]),
            };
        }
        data = rest;
    }
    Ok(())
}

fn fault(found: impl std::fmt::Display) -> Error {
    Error::decode("JPEG", format_args!("{found} that breaks the format's rules"))
}

fn irregular(marker: u8) -> Error {
    Error::unsupported(format!("expected regular JPEG segments, found an odd one with marker {marker:#04x}"))
}
