//! A scan's bytes as its codes are read: a piece at a time, without the zeros that are stuffed behind 0xff.

/// Bytes of the file that are added at once; with the tables they stay in a processor's first cache.
const PIECE: usize = 1 << 13;
/// Zeros behind the last byte, so that eight can be looked at anywhere.
const PADDING: usize = 16;

/// Why there are no more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Something else than data, mostly a marker.
    Marker,
    File,
}

/// The bytes up to the next marker.
#[derive(Debug)]
pub(super) struct Feed<'a> {
    file: &'a [u8],
    /// Where the first byte is that has not been added.
    at: usize,
    window: Vec<u8>,
    len: usize,
    end: Option<End>,
}

impl<'a> Feed<'a> {
    pub fn new(file: &'a [u8], at: usize) -> Self {
        Self { file, at, window: vec![0; PADDING], len: 0, end: None }
    }

    /// What there is to read, with zeros behind it.
    #[inline(always)]
    pub fn window(&self) -> &[u8] {
        &self.window
    }

    /// How much of the window is not zeros behind the end.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// Where in the file the window ends; there is no marker in front of it but restarts.
    #[inline(always)]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Drops `read` bytes from the window's front and adds more, until there are `least` or they end.
    #[cold]
    pub fn fill(&mut self, read: usize, least: usize) {
        self.window.copy_within(read..self.len, 0);
        self.window.truncate(self.len - read);
        while self.end.is_none() && self.window.len() < least + PIECE / 2 {
            self.add();
        }
        self.len = self.window.len();
        self.window.resize(self.len + PADDING, 0);
    }

    /// Goes on behind a marker of two bytes; `None` where it is not this one.
    pub fn pass(&mut self, marker: u8) -> Option<()> {
        (self.file.get(self.at..self.at + 2)? == [0xff, marker]).then_some(())?;
        self.at += 2;
        self.end = None;
        Some(())
    }

    fn add(&mut self) {
        let mut piece = &self.file[self.at..];
        piece = &piece[..piece.len().min(PIECE)];
        if piece.is_empty() {
            self.end = Some(End::File);
        }
        while !piece.is_empty() {
            let data = memchr::memchr(0xff, piece).unwrap_or(piece.len());
            self.window.extend_from_slice(&piece[..data]);
            self.at += data;
            piece = &piece[data..];
            if piece.is_empty() {
                return;
            }
            match self.file.get(self.at + 1) {
                Some(0) => self.window.push(0xff),
                Some(_) => return self.end = Some(End::Marker),
                None => return self.end = Some(End::File),
            }
            self.at += 2;
            piece = piece.get(2..).unwrap_or_default();
        }
    }
}
