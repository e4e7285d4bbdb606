//! The facts of a TIFF before its pixels: of the kinds that are read here. Pillow reads many more.

use super::codec::Compression;
use super::directory::{Directory, Numbers, odd};
use crate::decode::packed::Unpack;
use crate::decode::rows::dimensions;
use crate::error::Result;
use crate::limits::Limits;
use crate::pixels::{Header, Layout, Palette, palette_from};

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const BITS: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const FILL_ORDER: u16 = 266;
const STRIP_OFFSETS: u16 = 273;
const ORIENTATION: u16 = 274;
const SAMPLES: u16 = 277;
const STRIP_ROWS: u16 = 278;
const STRIP_LENGTHS: u16 = 279;
const PLANES: u16 = 284;
const PREDICTOR: u16 = 317;
const COLOURS: u16 = 320;
const TILE_WIDTH: u16 = 322;
const TILE_HEIGHT: u16 = 323;
const TILE_OFFSETS: u16 = 324;
const TILE_LENGTHS: u16 = 325;
const EXTRA_SAMPLES: u16 = 338;
const SAMPLE_FORMAT: u16 = 339;
const XMP: u16 = 700;
const EXIF: u16 = 34665;
const GPS: u16 = 34853;

/// Tags that say nothing about the pixels: kinds of page, names, dates, resolution, ICC, IPTC, Photoshop's.
const WITHOUT_EFFECT: [u16; 22] = [
    254, 255, 269, 270, 271, 272, 282, 283, 285, 286, 287, 296, 297, 305, 306, 315, 316, 33432, 33723, 34377,
    34675, 37724,
];

/// How lines begin that make a file one of format IM.
const IM_NAMES: [&[u8]; 9] = [
    b"Comment:",
    b"Date:",
    b"Digitalization equipment:",
    b"File size (no of images):",
    b"Lut:",
    b"Name:",
    b"Scale (x,y):",
    b"Image size (x*y):",
    b"Image type:",
];

/// Tiles may have this many bytes for each one of the image, and as many more.
const TILED_RATIO: usize = 4;
const TILED_MORE: usize = 16 << 20;
/// libtiff looks at this many bytes of a part for each that it decodes to, and at as many more.
const PACKED_RATIO: usize = 10;
const PACKED_MORE: usize = 4096;

/// An image, and the parts that its pixels are in.
pub(super) struct Facts<'a> {
    pub header: Header,
    /// How pixels become those of the layout.
    pub unpack: Unpack,
    /// Bytes of a pixel, or 1 where it has fewer bits.
    pub pixel_bytes: usize,
    /// Bytes of a row of the image, and of a part.
    pub row: usize,
    pub part_row: usize,
    /// Rows of a part; the last one of an image in strips has what is left.
    pub part_height: usize,
    /// Parts side by side, and whether they are tiles, which are whole also where the image is not.
    pub across: usize,
    pub tiled: bool,
    pub compression: Compression,
    /// Whether pixels are stored as differences to the one to their left.
    pub differences: bool,
    offsets: Numbers<'a>,
    lengths: Numbers<'a>,
}

impl<'a> Facts<'a> {
    /// Reads the first directory of a file.
    pub fn read(file: &'a [u8], limits: &Limits) -> Result<Self> {
        not_of_another_format(file)?;
        let directory = Directory::read(file)?;
        only_known_tags(&directory)?;
        not_turned(&directory)?;
        for tag in [EXIF, GPS] {
            directory.inner(file, tag)?;
        }
        let required = |tag| {
            directory.number(tag)?.ok_or_else(|| odd("all that is required", format_args!("no tag {tag}")))
        };
        let (width, height) = dimensions("TIFF", required(WIDTH)?.into(), required(HEIGHT)?.into(), limits)?;
        for (tag, name) in [(FILL_ORDER, "fill order"), (PLANES, "planar configuration")] {
            let value = directory.number(tag)?.unwrap_or(1);
            if value != 1 {
                return Err(odd("samples in plain order", format_args!("{name} {value}")));
            }
        }
        let compression = required(COMPRESSION)?;
        let compression = Compression::of(compression)
            .ok_or_else(|| odd("LZW, deflate or PackBits", format_args!("compression {compression}")))?;
        let kind = Kind::read(&directory, required(PHOTOMETRIC)?)?;
        let predictor = directory.number(PREDICTOR)?.unwrap_or(1);
        let differences = predictor == 2;
        let predicts = matches!(compression, Compression::Lzw | Compression::Deflate) && kind.bits >= 8;
        if predictor != 1 && !(differences && predicts) {
            return Err(odd("a known predictor", format_args!("{predictor} with {compression:?}")));
        }
        // Pillow has memory for no more.
        if width > i32::MAX as usize / kind.bits - 7 {
            return Err(odd("rows that Pillow has memory for", format_args!("{width} pixels")));
        }
        // A tile may be wider than the image.
        let row_of = |width: usize| width.saturating_mul(kind.bits).div_ceil(8);
        // libtiff takes an image for tiled where there is any tag of tiles.
        let has = |tags: &[u16]| tags.iter().any(|&tag| directory.get(tag).is_some());
        let tiled = has(&[TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_LENGTHS]);
        if tiled == has(&[STRIP_OFFSETS, STRIP_ROWS, STRIP_LENGTHS]) {
            return Err(odd("tags of strips or of tiles", "both or none"));
        }
        let (part_width, part_height) = if tiled {
            let sides = (required(TILE_WIDTH)? as usize, required(TILE_HEIGHT)? as usize);
            if [sides.0, sides.1].iter().any(|side| *side == 0 || side % 16 != 0) {
                return Err(odd("tiles of whole blocks", format_args!("{} x {}", sides.0, sides.1)));
            }
            sides
        } else {
            let rows = directory.number(STRIP_ROWS)?.unwrap_or(u32::MAX);
            if rows == 0 || (rows > i32::MAX as u32 && rows != u32::MAX) {
                return Err(odd("strips of rows", format_args!("{rows} of them")));
            }
            (width, height.min(rows as usize))
        };
        let (across, down) = (width.div_ceil(part_width), height.div_ceil(part_height));
        let part_row = row_of(part_width);
        let part = part_row.saturating_mul(part_height);
        let most =
            row_of(width).saturating_mul(height).saturating_mul(TILED_RATIO).saturating_add(TILED_MORE);
        if part >= i32::MAX as usize || part.saturating_mul(across).saturating_mul(down) > most {
            return Err(odd(
                "parts of about the size of its image",
                format_args!("{across} x {down} of {part} bytes"),
            ));
        }
        let parts = |tag| {
            let numbers = directory.numbers(tag)?.filter(|numbers| numbers.len() == across * down);
            numbers.ok_or_else(|| odd("an entry for each part", format_args!("another number in tag {tag}")))
        };
        let [offsets, lengths] =
            if tiled { [TILE_OFFSETS, TILE_LENGTHS] } else { [STRIP_OFFSETS, STRIP_LENGTHS] };
        let facts = Self {
            header: Header { width, height, layout: kind.layout, palette: kind.palette },
            unpack: kind.unpack,
            pixel_bytes: kind.bits.div_ceil(8),
            row: row_of(width),
            part_row,
            part_height,
            across,
            tiled,
            compression,
            differences,
            offsets: parts(offsets)?,
            lengths: parts(lengths)?,
        };
        for index in 0..across * down {
            facts.part(file, index)?;
        }
        Ok(facts)
    }

    /// Parts, one under another.
    pub fn down(&self) -> usize {
        self.header.height.div_ceil(self.part_height)
    }

    /// Rows of the parts in a row of them.
    pub fn rows(&self, down: usize) -> usize {
        self.part_height.min(self.header.height - down * self.part_height)
    }

    /// Bytes that a part decodes to.
    pub fn decoded_len(&self, index: usize) -> usize {
        let rows = if self.tiled { self.part_height } else { self.rows(index) };
        rows * self.part_row
    }

    /// The bytes of a part in the file.
    pub fn part<'f>(&self, file: &'f [u8], index: usize) -> Result<&'f [u8]> {
        let from = self.offsets.get(index) as usize;
        let decoded = self.decoded_len(index);
        let len = match self.compression {
            // Pillow does not look at their lengths. Of a tile it reads the rows that are in the image.
            Compression::None => self.rows(index / self.across) * self.part_row,
            _ => self.lengths.get(index) as usize,
        };
        let packed = file.get(from..from.saturating_add(len));
        packed
            .filter(|_| len > 0 && len <= decoded.saturating_mul(PACKED_RATIO).saturating_add(PACKED_MORE))
            .ok_or_else(|| odd("its pixels inside the file", format_args!("{len} bytes at {from}")))
    }
}

/// The pixels of an image.
struct Kind {
    layout: Layout,
    /// Bits of a pixel.
    bits: usize,
    unpack: Unpack,
    palette: Option<Box<Palette>>,
}

impl Kind {
    fn read(directory: &Directory<'_>, photometric: u32) -> Result<Self> {
        let samples = directory.number(SAMPLES)?.unwrap_or(1);
        let list = |tag| -> Result<Option<Vec<u32>>> {
            match directory.numbers(tag)? {
                Some(numbers) if numbers.len() > 4 => Err(odd("at most 4 samples", numbers.len())),
                numbers => Ok(numbers.map(|numbers| numbers.iter().collect())),
            }
        };
        let bits = list(BITS)?.unwrap_or_else(|| vec![1]);
        let extra = list(EXTRA_SAMPLES)?.unwrap_or_default();
        let formats = list(SAMPLE_FORMAT)?.unwrap_or_default();
        let unknown = || {
            odd(
                "samples of a known kind",
                format_args!(
                    "{samples} of {bits:?} bits, photometric {photometric}, extra {extra:?}, format {formats:?}"
                ),
            )
        };
        let depth = bits[0];
        if bits.len() != samples as usize
            || bits.iter().any(|bits| *bits != depth)
            || formats.iter().any(|format| *format != 1)
        {
            return Err(unknown());
        }
        let shades = |max: u8| {
            let inverted = if photometric == 0 { u8::MAX } else { 0 };
            let values = std::array::from_fn(|value| ((value as u8).min(max) * (u8::MAX / max)) ^ inverted);
            Unpack::Bits { bits: depth as usize, values }
        };
        let indices =
            || Unpack::Bits { bits: depth as usize, values: std::array::from_fn(|value| value as u8) };
        let (layout, unpack) = match (photometric, depth, samples, &extra[..]) {
            (0 | 1, 1, 1, []) => (Layout::One, shades(1)),
            (0 | 1, 2 | 4, 1, []) => (Layout::L, shades((1 << depth) - 1)),
            (0, 8, 1, []) => {
                (Layout::L, Unpack::Table(Box::new(std::array::from_fn(|value| 255 - value as u8))))
            }
            (1, 8, 1, []) => (Layout::L, Unpack::Bytes),
            (1, 8, 2, [2]) => (Layout::GreyAlpha, Unpack::Bytes),
            (2, 8, 3, []) => (Layout::Rgb, Unpack::Bytes),
            (2, 8, 4, [0]) => (Layout::Rgb, Unpack::Pick { size: 4, order: [0, 1, 2, 0] }),
            (2, 8, 4, [] | [2 | 999]) => (Layout::Rgba, Unpack::Bytes),
            (3, 1 | 2 | 4, 1, []) => (Layout::P, indices()),
            (3, 8, 1, []) => (Layout::P, Unpack::Bytes),
            _ => return Err(unknown()),
        };
        let palette = if layout == Layout::P { Some(palette(directory, depth)?) } else { None };
        Ok(Self { layout, bits: (depth * samples) as usize, unpack, palette })
    }
}

/// The palette of an image of `bits` bits: all reds, all greens, all blues, of 16 bits.
fn palette(directory: &Directory<'_>, bits: u32) -> Result<Box<Palette>> {
    // One bit is usual without the tag, but libtiff, which Pillow has for all that is compressed, then reads no palette.
    if directory.numbers(BITS)?.is_none() {
        return Err(odd("the bits of an index into a palette", "none"));
    }
    let colours = 1 << bits;
    let values = directory
        .numbers(COLOURS)?
        .filter(|values| values.len() == 3 * colours && values.are_short())
        .ok_or_else(|| odd("a palette", "none, or one of another size"))?;
    let entries: Vec<u8> = (0..colours)
        .flat_map(|colour| [colour, colour + colours, colour + 2 * colours])
        .map(|index| (values.get(index) / 256) as u8)
        .collect();
    Ok(palette_from(&entries))
}

fn only_known_tags(directory: &Directory<'_>) -> Result<()> {
    let read = [
        WIDTH,
        HEIGHT,
        BITS,
        COMPRESSION,
        PHOTOMETRIC,
        FILL_ORDER,
        STRIP_OFFSETS,
        ORIENTATION,
        SAMPLES,
        STRIP_ROWS,
        STRIP_LENGTHS,
        PLANES,
        PREDICTOR,
        COLOURS,
        TILE_WIDTH,
        TILE_HEIGHT,
        TILE_OFFSETS,
        TILE_LENGTHS,
        EXTRA_SAMPLES,
        SAMPLE_FORMAT,
        XMP,
        EXIF,
        GPS,
    ];
    let unknown = |tag: &u16| !read.contains(tag) && !WITHOUT_EFFECT.contains(tag);
    match directory.entries().iter().map(|entry| entry.tag).find(unknown) {
        Some(tag) => Err(odd("known tags", format_args!("tag {tag}"))),
        None => Ok(()),
    }
}

/// Pillow turns a TIFF as soon as it is loaded, whether that is asked for or not.
fn not_turned(directory: &Directory<'_>) -> Result<()> {
    const NAME: &[u8] = b"tiff:Orientation";
    let xmp = directory.get(XMP);
    if xmp.is_some_and(|xmp| !xmp.is_bytes()) {
        return Err(odd("XMP in bytes", "another type"));
    }
    match directory.number(ORIENTATION)? {
        Some(1) => Ok(()),
        None if xmp.is_none_or(|xmp| memchr::memmem::find(xmp.data, NAME).is_none()) => Ok(()),
        found => Err(odd("pixels that are not turned", format_args!("orientation {found:?}"))),
    }
}

/// Pillow asks the readers of some formats that have no signature first.
fn not_of_another_format(file: &[u8]) -> Result<()> {
    // Lines of names and values, at least one of them with a known name.
    let mut lines = file[..file.len().min(202)].splitn(3, |&byte| byte == b'\n');
    let first = lines.next().is_some_and(|line| line.contains(&b':'));
    let second = lines.next().is_some_and(|line| line.contains(&b':'));
    let im = first && second && IM_NAMES.iter().any(|name| memchr::memmem::find(file, name).is_some());
    let photo_cd = file.get(2048..).is_some_and(|rest| rest.starts_with(b"PCD_"));
    // A float, in either order, that says what kind of SPIDER file it is.
    let spider = file.get(20..).and_then(<[u8]>::first_chunk).is_some_and(|&bytes| {
        let kinds = [1.0, 3.0, -11.0, -12.0, -21.0, -22.0];
        [f32::from_le_bytes(bytes), f32::from_be_bytes(bytes)].iter().any(|kind| kinds.contains(kind))
    });
    if im || photo_cd || spider {
        return Err(odd("no signs of other formats", "those of IM, PhotoCD or SPIDER"));
    }
    Ok(())
}
