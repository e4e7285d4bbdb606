//! Rows on their way: polled, converted, resized and padded.

use crate::colour::{Alpha, ByAlpha, to_rgb, to_rgb_over_white};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::pixels::{BLOCK_ROWS, Header, RowBlock, RowBuffer, Rows, Whole, Window};
use crate::plan::{Method, Padding, Plan};
use crate::resample::Scratch;
use crate::simd::Level;

/// Puts `padding` around the rows that `run` hands out.
pub(super) fn padded(
    padding: &Padding,
    mut finish: impl FnMut(usize, &[u8]),
    run: impl FnOnce(&mut dyn FnMut(usize, &[u8])) -> Result<()>,
) -> Result<()> {
    for y in 0..padding.top {
        finish(y, &padding.empty);
    }
    let mut line = padding.empty.clone();
    let mut next = padding.top;
    run(&mut |y, row| {
        line[padding.left..padding.left + row.len()].copy_from_slice(row);
        next = padding.top + y + 1;
        finish(padding.top + y, &line);
    })?;
    for y in next..next + padding.bottom {
        finish(y, &padding.empty);
    }
    Ok(())
}

/// The image that a step of resizing makes.
pub(super) fn collected(
    plan: &Plan,
    level: Level,
    source: Box<dyn Rows + '_>,
    scratch: &mut Scratch,
) -> Result<Whole> {
    let (width, height) = plan.resized;
    let len = width * height * plan.layout.bytes();
    let mut data = Vec::new();
    data.try_reserve_exact(len).map_err(|_| Error::out_of_memory("the first of two steps", len as u64))?;
    run(plan, level, source, scratch, &mut |_, row| data.extend_from_slice(row))?;
    Ok(Whole { header: Header { width, height, layout: plan.layout, palette: None }, data })
}

/// Resizes as planned and hands out each finished row.
pub(super) fn run(
    plan: &Plan,
    level: Level,
    mut source: Box<dyn Rows + '_>,
    scratch: &mut Scratch,
    finish: &mut dyn FnMut(usize, &[u8]),
) -> Result<()> {
    let layout = plan.source;
    match &plan.method {
        Method::Pick { columns, rows } => pick(columns, rows, layout.bytes(), source.as_mut(), finish),
        Method::TwoPass(passes) if layout.has_alpha() => {
            let row_bytes = plan.window.columns.len() * layout.bytes();
            let ByAlpha { premultiply, unpremultiply } = ByAlpha::of(level, layout);
            let mut source = Mapped::new(source, row_bytes, premultiply)?;
            passes.run(&mut source, scratch, |y, row| {
                unpremultiply(row);
                finish(y, row);
            })
        }
        Method::TwoPass(passes) => passes.run(source.as_mut(), scratch, |y, row| finish(y, row)),
        Method::Wide(passes) => passes.run(source.as_mut(), finish),
        Method::Floats(passes) => passes.run(source.as_mut(), finish),
        Method::Blur(blur) => blur.run(source.as_mut(), finish),
    }
}

/// Hands out the picked columns of the picked rows, which ascend and may repeat.
fn pick(
    columns: &[usize],
    rows: &[usize],
    bytes: usize,
    source: &mut dyn Rows,
    mut finish: impl FnMut(usize, &[u8]),
) -> Result<()> {
    let contiguous = columns.windows(2).all(|two| two[1] == two[0] + 1);
    let len = columns.len() * bytes;
    let mut line = vec![0; if contiguous { 0 } else { len }];
    let mut picked = rows.iter().copied().enumerate().peekable();
    let end = rows.last().map_or(0, |last| last + 1);
    for start in (0..end).step_by(BLOCK_ROWS) {
        let count = BLOCK_ROWS.min(end - start);
        let block = source.next(count)?;
        for (row, source) in (start..).zip(&block[..count]) {
            let mut made = false;
            while let Some((y, _)) = picked.next_if(|(_, picked)| *picked == row) {
                if contiguous {
                    finish(y, &source[..len]);
                    continue;
                }
                if !made {
                    match bytes {
                        1 => gather::<1>(columns, source, &mut line),
                        2 => gather::<2>(columns, source, &mut line),
                        3 => gather::<3>(columns, source, &mut line),
                        _ => gather::<4>(columns, source, &mut line),
                    }
                    made = true;
                }
                finish(y, &line);
            }
        }
    }
    Ok(())
}

/// Copies the picked pixels of a row, of `N` bytes each.
fn gather<const N: usize>(columns: &[usize], row: &[u8], line: &mut [u8]) {
    let pixels = row.as_chunks::<N>().0;
    for (out, &column) in line.as_chunks_mut::<N>().0.iter_mut().zip(columns) {
        *out = pixels[column];
    }
}

/// Rows between which the work can be interrupted.
pub(super) struct Polled<'a>(pub &'a mut dyn Rows);

impl Rows for Polled<'_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        interrupt::check()?;
        self.0.next(count)
    }
}

/// Rows converted to RGB as they pass.
pub(super) fn in_rgb<'a>(
    rows: Box<dyn Rows + 'a>,
    header: &'a Header,
    window: &Window,
    over_white: Option<Alpha>,
) -> Result<Box<dyn Rows + 'a>> {
    let (layout, palette) = (header.layout, header.palette.as_deref());
    let map = move |row: &[u8], out: &mut [u8]| match over_white {
        Some(alpha) => to_rgb_over_white(alpha, layout, palette, row, out),
        None => to_rgb(layout, palette, row, out),
    };
    Ok(Box::new(Mapped::new(rows, window.columns.len() * 3, map)?))
}

/// Rows changed by `map` as they pass.
struct Mapped<'a, F> {
    rows: Box<dyn Rows + 'a>,
    map: F,
    buffer: RowBuffer,
}

impl<'a, F: Fn(&[u8], &mut [u8])> Mapped<'a, F> {
    fn new(rows: Box<dyn Rows + 'a>, row_bytes: usize, map: F) -> Result<Self> {
        Ok(Self { rows, map, buffer: RowBuffer::new(row_bytes)? })
    }
}

impl<F: Fn(&[u8], &mut [u8])> Rows for Mapped<'_, F> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        let block = self.rows.next(count)?;
        for (row, out) in block[..count].iter().zip(self.buffer.rows_mut(count)) {
            (self.map)(row, out);
        }
        Ok(self.buffer.block(count))
    }
}
