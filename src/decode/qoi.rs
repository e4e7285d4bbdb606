//! QOI as Pillow reads it: any number of channels but three means four, a run does not enter the table of
//! colours, and the colour space and the bytes after the pixels are not looked at.

use super::decoder::{Decoder, Input, Rules};
use super::rows::{allocate, dimensions};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::pixels::{Header, Layout, Whole};

/// The most pixels that one byte stands for.
const LONGEST_RUN: usize = 62;
/// Codes between two polls, about.
const POLL: usize = 1 << 10;

pub(super) fn open<'a>(input: &Input<'a>, rules: &Rules<'_>) -> Result<Box<dyn Decoder + 'a>> {
    let bytes = input.whole()?;
    let Some((&[.., w0, w1, w2, w3, h0, h1, h2, h3, channels, _], codes)) = bytes.split_first_chunk::<14>()
    else {
        return Err(Error::truncated("QOI", "a header cut short"));
    };
    let (width, height) = (u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]));
    let (width, height) = dimensions("QOI", width.into(), height.into(), &rules.limits)?;
    let layout = if channels == 3 { Layout::Rgb } else { Layout::Rgba };
    if width * height / LONGEST_RUN > codes.len() {
        return Err(Error::truncated("QOI", format_args!("{} bytes for {width} x {height}", codes.len())));
    }
    rules.limits.check_memory((width * height * layout.bytes()) as u64)?;
    let mut data = allocate("QOI", width * height * layout.bytes())?;
    let whole = match layout {
        Layout::Rgb => decode::<3>(codes, data.as_chunks_mut().0),
        _ => decode::<4>(codes, data.as_chunks_mut().0),
    };
    if whole.is_none() {
        interrupt::check()?;
        return Err(Error::truncated("QOI", "fewer pixels than its header says"));
    }
    Ok(Box::new(Whole { header: Header { width, height, layout, palette: None }, data }))
}

/// Fills `pixels`; none where the codes end before they are full, and where it is interrupted.
fn decode<const N: usize>(codes: &[u8], pixels: &mut [[u8; N]]) -> Option<()> {
    let mut codes = codes.iter().copied();
    let mut pixels = pixels.iter_mut();
    let mut seen = [[0; 4]; 64];
    let mut last = [0, 0, 0, 255];
    while let Some(pixel) = pixels.next() {
        if pixels.len().is_multiple_of(POLL) {
            interrupt::check().ok()?;
        }
        let code = codes.next()?;
        let mut run = 0;
        last = match (code >> 6, code & 0x3f) {
            (3, 0x3e) => [codes.next()?, codes.next()?, codes.next()?, last[3]],
            (3, 0x3f) => [codes.next()?, codes.next()?, codes.next()?, codes.next()?],
            (0, index) => seen[usize::from(index)],
            (1, steps) => plus(last, [steps >> 4, (steps >> 2) & 3, steps & 3].map(|s| s.wrapping_sub(2))),
            (2, green) => {
                let green = green.wrapping_sub(32);
                let others = codes.next()?;
                let beside = |step: u8| step.wrapping_sub(8).wrapping_add(green);
                plus(last, [beside(others >> 4), green, beside(others & 15)])
            }
            (_, length) => {
                run = usize::from(length);
                last
            }
        };
        let is_run = (0xc0..0xfe).contains(&code);
        if !is_run {
            seen[hash(last)] = last;
        }
        let colour = *last.first_chunk::<N>()?;
        *pixel = colour;
        pixels.by_ref().take(run).for_each(|pixel| *pixel = colour);
    }
    Some(())
}

fn plus([r, g, b, a]: [u8; 4], [dr, dg, db]: [u8; 3]) -> [u8; 4] {
    [r.wrapping_add(dr), g.wrapping_add(dg), b.wrapping_add(db), a]
}

fn hash(rgba: [u8; 4]) -> usize {
    let sum: usize = rgba.iter().zip([3, 5, 7, 11]).map(|(&value, weight)| usize::from(value) * weight).sum();
    sum % 64
}
