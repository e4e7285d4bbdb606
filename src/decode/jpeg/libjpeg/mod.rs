//! JPEG by libjpeg (mozjpeg's copy of libjpeg-turbo, whose decoder gives Pillow's bits).
//!
//! The room with C in it. libjpeg reports a fault by a callback that must not return: ours unwinds, and every call
//! into the library is made under `catch_unwind`.

mod fault;
mod rows;
mod source_manager;

use std::any::Any;
use std::ffi::{c_int, c_long};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::rc::Rc;

use mozjpeg_sys as sys;

use super::header::Header;
use super::markers::{END_OF_IMAGE, is_frame};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::limits::Limits;
use crate::pixels::{BLOCK_ROWS, Layout, Window};
use fault::{Fault, Progress, error_exit, ignore_message, monitor};
use source_manager::SourceManager;

pub(super) use rows::LibjpegRows;

/// iMCUs decoded beyond each cut side. Next to a cut, chroma upsampling lacks a neighbour and the
/// outer two columns differ.
const MARGIN: u32 = 1;
/// The same for files of several scans, where smoothing of missing coefficients looks two blocks far.
const SMOOTHING_MARGIN: u32 = 4;

/// Pixels that are skipped in one call, at about 100 million in a second.
const SKIP: u32 = 1 << 22;
/// A multiple of every height of an iMCU.
const SKIP_ROWS: u32 = 96;

/// jpeglib.h: the file holds tables and no image.
const JPEG_HEADER_TABLES_ONLY: c_int = 2;

unsafe extern "C" {
    fn jsimd_can_idct_islow() -> c_int;
}

/// Whether libjpeg was built with its SIMD code (which needs nasm) and the processor runs it.
///
/// ```
/// if !clipprep::decode::jpeg_has_simd() {
///     println!("JPEG files that libjpeg reads take longer here");
/// }
/// ```
pub fn has_simd() -> bool {
    // SAFETY: takes nothing, and initialises only a thread-local of the library's own.
    unsafe { jsimd_can_idct_islow() != 0 }
}

/// libjpeg's structs; they point at each other, so they stay where they were allocated.
struct Parts {
    info: sys::jpeg_decompress_struct,
    errors: sys::jpeg_error_mgr,
    progress: Progress,
    source_manager: SourceManager,
}

/// A file under decompression.
pub(super) struct Decoder<'a> {
    parts: NonNull<Parts>,
    header: Rc<Header>,
    limits: Limits,
    bytes: &'a [u8],
    /// Where bits do not count: how many times smaller the image is decoded.
    reduction: Option<u32>,
}

impl<'a> Decoder<'a> {
    /// The file that `header` was read from.
    pub fn new(header: Rc<Header>, bytes: &'a [u8], limits: &Limits) -> Result<Self> {
        let parts: Box<MaybeUninit<Parts>> = Box::new(MaybeUninit::zeroed());
        // SAFETY: `Parts` is integers, raw pointers, nullable function pointers and C enums whose
        // zero is a variant, so all zeros is a value of it.
        let parts = unsafe { parts.assume_init() };
        // From here on the structs are reached through this pointer alone, by C and by us.
        let parts = NonNull::from(Box::leak(parts));
        let max_scans = limits.scans(header.pixels()).unwrap_or(u64::MAX);
        let mut decoder = Self { parts, header, limits: *limits, bytes, reduction: None };
        let max_memory = limits.max_memory.map(|max| c_long::try_from(max).unwrap_or(c_long::MAX));
        decoder.call(|parts| {
            // SAFETY: the structs are live and stay in place; the library keeps the pointers to
            // them, and to `bytes`, which outlives `decoder`.
            unsafe {
                let info = &raw mut (*parts).info;
                sys::jpeg_std_error(&mut (*parts).errors);
                (*parts).errors.error_exit = Some(error_exit);
                (*parts).errors.emit_message = Some(ignore_message);
                (*info).common.err = &raw mut (*parts).errors;
                sys::jpeg_create_decompress(info);
                (*parts).source_manager = SourceManager::new(bytes);
                (*info).src = &raw mut (*parts).source_manager.fields;
                (*parts).progress.manager.progress_monitor = Some(monitor);
                (*parts).progress.max_scans = max_scans;
                (*info).common.progress = (&raw mut (*parts).progress).cast();
                if let Some(max) = max_memory {
                    (*(*info).common.mem).max_memory_to_use = max;
                }
            }
        })?;
        decoder.read_header()?;
        Ok(decoder)
    }

    pub fn info(&self) -> &sys::jpeg_decompress_struct {
        // SAFETY: the structs are live, and no call into the library is under way.
        unsafe { &(*self.parts.as_ptr()).info }
    }

    fn source_manager(&self) -> &SourceManager {
        // SAFETY: as in `info`.
        unsafe { &(*self.parts.as_ptr()).source_manager }
    }

    /// Runs `f`, which calls into the library; a fault that it reports becomes an error.
    fn call<T>(&mut self, f: impl FnOnce(*mut Parts) -> T) -> Result<T> {
        let parts = self.parts.as_ptr();
        catch_unwind(AssertUnwindSafe(|| f(parts))).map_err(|payload: Box<dyn Any + Send>| {
            match payload.downcast::<Fault>().map(|fault| *fault) {
                Ok(Fault::Decode(found)) => Error::decode("JPEG", found),
                Ok(Fault::Interrupted) => Error::Interrupted,
                Ok(Fault::Scans(found)) => self
                    .limits
                    .check_scans(found, self.header.pixels())
                    .expect_err("more of them than allowed"),
                Err(payload) => resume_unwind(payload),
            }
        })
    }

    /// Whether the library ran dry; Pillow would wait for more bytes and, there being none, raise.
    fn check_starved(&self, what: &str) -> Result<()> {
        if self.source_manager().starved {
            return Err(Error::truncated("JPEG", format!("its bytes end in {what}")));
        }
        Ok(())
    }

    fn read_header(&mut self) -> Result<()> {
        self.call(|parts| {
            // SAFETY: the struct is initialised and has a source.
            unsafe {
                // Files of tables alone are skipped, as Pillow does.
                while sys::jpeg_read_header(&mut (*parts).info, 0) == JPEG_HEADER_TABLES_ONLY {}
            }
        })?;
        self.check_starved("the header")?;
        let info = self.info();
        // SAFETY: the header has been read, and with it this number of components.
        let components = unsafe { std::slice::from_raw_parts(info.comp_info, info.num_components as usize) };
        let frame = &self.header.frame;
        // All sizes and limits come from the header that was read first.
        let same = (info.image_width as usize, info.image_height as usize) == (frame.width, frame.height)
            && components.len() == frame.components.len()
            && components.iter().zip(&frame.components).all(|(theirs, ours)| {
                (theirs.h_samp_factor as usize, theirs.v_samp_factor as usize) == ours.factors
            })
            // SAFETY: the header has been read.
            && (unsafe { sys::jpeg_has_multiple_scans(info) } != 0) == self.header.has_several_scans();
        if same { Ok(()) } else { Err(Error::decode("JPEG", "a header that libjpeg reads differently")) }
    }

    pub fn is_arithmetic(&self) -> bool {
        self.header.frame.arithmetic
    }

    /// Has the source manager hand out an end of image after its bytes.
    pub fn pad(&mut self) {
        // SAFETY: the structs are live, and no call into the library is under way.
        unsafe { (*self.parts.as_ptr()).source_manager.pad = true }
    }

    /// Decode the image smaller by this factor, and by shorter arithmetic.
    pub fn set_fast(&mut self, reduction: u32) {
        self.reduction = Some(reduction);
    }

    /// Makes ready to read the rows of `window`; returns the first column that is handed out.
    pub fn prepare(&mut self, layout: Layout, window: &Window) -> Result<u32> {
        self.start(match layout {
            Layout::L => sys::J_COLOR_SPACE::JCS_GRAYSCALE,
            Layout::Rgb => sys::J_COLOR_SPACE::JCS_RGB,
            _ => sys::J_COLOR_SPACE::JCS_CMYK,
        })?;
        let first = self.crop(window.columns.start as u32, window.columns.end as u32)?;
        self.skip(window.rows.start as u32)?;
        Ok(first)
    }

    /// Bytes of a row as it is handed out.
    pub fn row_bytes(&self) -> usize {
        self.info().output_width as usize * self.info().output_components as usize
    }

    /// Makes ready to read rows; decodes the whole file when it has several scans.
    fn start(&mut self, colours: sys::J_COLOR_SPACE) -> Result<()> {
        let reduction = self.reduction;
        self.call(|parts| {
            // SAFETY: the header has been read.
            unsafe {
                (*parts).info.out_color_space = colours;
                if let Some(reduction) = reduction {
                    (*parts).info.scale_num = 1;
                    (*parts).info.scale_denom = reduction;
                    (*parts).info.do_fancy_upsampling = 0;
                }
                sys::jpeg_start_decompress(&mut (*parts).info);
            }
        })?;
        self.check_starved("a scan")
    }

    /// Restricts rows to columns around `from..to`; returns the first column that is handed out.
    fn crop(&mut self, from: u32, to: u32) -> Result<u32> {
        let info = self.info();
        let margin = if self.header.has_several_scans() { SMOOTHING_MARGIN } else { MARGIN };
        let margin = margin * 8 * info.max_h_samp_factor as u32;
        let mut first = from.saturating_sub(margin);
        let mut width = (to + margin).min(info.output_width) - first;
        if width == info.output_width {
            return Ok(0);
        }
        self.call(|parts| {
            // SAFETY: decompression has been started, and no row has been read.
            unsafe { sys::jpeg_crop_scanline(&mut (*parts).info, &mut first, &mut width) }
        })?;
        Ok(first)
    }

    /// Skips rows. Called with a source that runs dry it goes on without telling, so the flag tells.
    fn skip(&mut self, rows: u32) -> Result<()> {
        // The library polls nothing in a skip, so that a long one is made in steps.
        let step = (SKIP / self.info().output_width).next_multiple_of(SKIP_ROWS);
        let step = if self.header.has_several_scans() { rows } else { step };
        let mut left = rows;
        while left > 0 {
            interrupt::check()?;
            let rows = left.min(step);
            // SAFETY: decompression has been started.
            self.call(|parts| unsafe { sys::jpeg_skip_scanlines(&mut (*parts).info, rows) })?;
            left -= rows;
        }
        self.check_starved("a scan")
    }

    /// Fills `buffer` with rows of `row_bytes` bytes.
    pub fn read(&mut self, buffer: &mut [u8], row_bytes: usize) -> Result<()> {
        assert_eq!(row_bytes, self.row_bytes());
        let mut rest = buffer;
        while !rest.is_empty() {
            let mut rows = [std::ptr::null_mut(); BLOCK_ROWS];
            let mut count = 0;
            for (slot, row) in rows.iter_mut().zip(rest.chunks_exact_mut(row_bytes)) {
                *slot = row.as_mut_ptr();
                count += 1;
            }
            // SAFETY: decompression has been started; `rows` has `count` rows of the width that the
            // library writes, as asserted.
            let read = self.call(|parts| unsafe {
                sys::jpeg_read_scanlines(&mut (*parts).info, rows.as_mut_ptr(), count)
            })?;
            if read == 0 {
                self.check_starved("a scan")?;
                return Err(Error::decode("JPEG", "rows beyond its height"));
            }
            rest = &mut rest[read as usize * row_bytes..];
        }
        Ok(())
    }

    /// Raises what Pillow would raise below the last row that is needed. Pillow reads on to the end of
    /// the image: bytes that run out before the last row, or a broken marker after it, are errors.
    /// Where the next marker is the end of the image, neither can happen, since libjpeg fills up
    /// missing rows with grey; otherwise only reading on can tell.
    pub fn check_rest(&mut self, row_bytes: usize) -> Result<()> {
        let info = self.info();
        let left = info.output_height - info.output_scanline;
        if self.header.has_several_scans() {
            return Ok(());
        }
        match self.source_manager().marker_ahead(self.bytes) {
            Some(END_OF_IMAGE) => return Ok(()),
            // Tables may follow a scan, and more scans, which are then not read. A second frame is a
            // fault to Pillow's libjpeg, at once.
            Some(marker) if is_frame(marker) => {
                return Err(Error::decode("JPEG", "a second frame after its first scan"));
            }
            _ => {}
        }
        if left > 0 {
            // The library takes a skip to the very end as leave to stop, so the last row is read.
            self.skip(left - 1)?;
            self.read(&mut vec![0; row_bytes], row_bytes)?;
        }
        // SAFETY: all rows have been read. Running dry here is no error to Pillow.
        self.call(|parts| unsafe { sys::jpeg_finish_decompress(&mut (*parts).info) })?;
        Ok(())
    }
}

impl Drop for Decoder<'_> {
    fn drop(&mut self) {
        // Destroying frees memory and reports no faults; a panic here would abort.
        let _ = self.call(|parts| {
            // SAFETY: created by `jpeg_create_decompress`, or still zeroed, which the library takes
            // for nothing to free.
            unsafe { sys::jpeg_destroy_decompress(&mut (*parts).info) }
        });
        // SAFETY: leaked from a box of our own, and freed only here, after the last call.
        unsafe { drop(Box::from_raw(self.parts.as_ptr())) }
    }
}
