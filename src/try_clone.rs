use std::io;

/// Another object for the same thing, if the system can make one: what [`Clone`] is for that which can fail, such as
/// duplicating a handle or a descriptor.
///
/// Everything that is [`Clone`] has it, and never fails.
///
/// ```
/// use interprocess::TryClone;
///
/// fn twice<T: TryClone>(it: T) -> std::io::Result<[T; 2]> {
///     Ok([it.try_clone()?, it])
/// }
/// assert_eq!(twice("x")?, ["x", "x"]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait TryClone: Sized {
    /// The other object.
    ///
    /// # Errors
    /// The system's, for want of memory or of room in a table of handles.
    fn try_clone(&self) -> io::Result<Self>;
}

impl<T: Clone> TryClone for T {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(self.clone())
    }
}
