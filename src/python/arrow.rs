//! Reads a Pillow image's own memory through the Arrow C data interface, without a copy.

use std::ffi::c_void;
use std::ptr::NonNull;

use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::Error;

/// `struct ArrowArray` of the Arrow C data interface.
#[repr(C)]
struct ArrowArray {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: *const *const c_void,
    children: *const *const ArrowArray,
    dictionary: *const ArrowArray,
    release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    private_data: *mut c_void,
}

/// Bytes of an image, kept alive by the capsule that exported them.
pub(super) struct ArrowBytes {
    _capsule: Py<PyCapsule>,
    data: NonNull<u8>,
    len: usize,
}

// SAFETY: plain bytes that nobody frees while the capsule lives. Another thread may write to the
// image meanwhile, as it may to any array; values are then torn, addresses never depend on them.
unsafe impl Send for ArrowBytes {}
// SAFETY: as above.
unsafe impl Sync for ArrowBytes {}

impl ArrowBytes {
    /// `pixels` pixels, each of `channels` samples of `size` bytes, exported by an object's
    /// `__arrow_c_array__`; `None` where the capsule holds something else.
    pub fn new(capsule: Bound<'_, PyCapsule>, pixels: usize, channels: usize, size: usize) -> Option<Self> {
        let array = capsule.pointer_checked(Some(c"arrow_array")).ok()?.cast::<ArrowArray>();
        // SAFETY: the name says what the capsule points to; it stays valid while the capsule lives,
        // and the interface fixes the layout: buffer 1 of a primitive array holds its values, a
        // list of fixed size holds them in its only child.
        unsafe {
            let array = array.as_ref();
            array.release?;
            let values = if channels == 1 {
                array
            } else if array.n_children == 1 {
                (*array.children).as_ref()?
            } else {
                return None;
            };
            let samples = pixels.checked_mul(channels)?;
            let len = samples.checked_mul(size)?;
            let fits = array.offset == 0
                && values.offset == 0
                && values.n_buffers == 2
                && usize::try_from(array.length).ok()? == pixels
                && usize::try_from(values.length).ok()? >= samples;
            let data = NonNull::new((*values.buffers.add(1)).cast_mut().cast::<u8>()).filter(|_| fits)?;
            Some(Self { _capsule: capsule.unbind(), data, len })
        }
    }

    /// The error for a capsule that holds something else.
    pub fn another_layout() -> Error {
        Error::decode("PIL image", "another Arrow layout than Pillow's")
    }

    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `new` checked that the exporter has `len` bytes there, alive as long as `self`.
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.len) }
    }
}
