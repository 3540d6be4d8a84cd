//! FIFO files.

use super::{in_time, unique_path};
use interprocess::os::unix::fifo_file::create_fifo;
use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::FileTypeExt,
    thread,
};

#[test]
fn what_is_written_to_a_fifo_is_read_from_it() {
    in_time(|| {
        let path = unique_path();
        create_fifo(&path, 0o600)?;
        assert!(fs::metadata(&path)?.file_type().is_fifo());
        let writer = thread::spawn({
            let path = path.clone();
            move || File::create(path)?.write_all(b"hello")
        });
        assert_eq!(fs::read_to_string(&path)?, "hello");
        writer.join().expect("no panic")?;
        fs::remove_file(path)
    });
}
