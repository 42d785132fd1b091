//! What is left of bytes that are read from the front.

use super::format::CodecFault;

/// What is left.
pub(super) struct Rest<'a>(pub(super) &'a [u8]);

impl<'a> Rest<'a> {
    pub(super) fn byte(&mut self) -> Result<u8, CodecFault> {
        self.array().map(|&[byte]| byte)
    }

    pub(super) fn number(&mut self) -> Result<f32, CodecFault> {
        self.array().map(|bytes| f32::from_le_bytes(*bytes))
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], CodecFault> {
        let (array, rest) = self.0.split_first_chunk().ok_or(CodecFault::Length)?;
        self.0 = rest;
        Ok(array)
    }

    pub(super) fn slice(&mut self, length: usize) -> Result<&'a [u8], CodecFault> {
        let (slice, rest) = self.0.split_at_checked(length).ok_or(CodecFault::Length)?;
        self.0 = rest;
        Ok(slice)
    }
}
