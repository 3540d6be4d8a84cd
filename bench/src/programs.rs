//! The program `ipc` beside `socat`, on Linux: processes from start to end.

use std::{
    env,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What a program took.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// Seconds from the start of the client until both have ended, for one byte: the median.
    pub(crate) one_byte: f64,
    /// Bytes in a second, of a file.
    pub(crate) rate: f64,
}

/// Those that there are, and why others are not.
pub(crate) fn measure(is_quick: bool) -> (Vec<Program>, Vec<String>) {
    let ipc = env::current_exe().unwrap_or_default().with_file_name("ipc");
    let (mut measured, mut missing) = (Vec::new(), Vec::new());
    for (name, path) in [("ipc", ipc), ("socat", PathBuf::from("socat"))] {
        match one(name, &path, is_quick) {
            Ok(program) => measured.push(program),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                missing.push(format!("{name}: is not installed"));
            }
            Err(error) => missing.push(format!("{name}: {error}")),
        }
    }
    (measured, missing)
}

fn one(name: &'static str, program: &Path, is_quick: bool) -> io::Result<Program> {
    let (rounds, megabytes) = if is_quick { (10, 64) } else { (50, 512) };
    let folder = env::temp_dir().join(format!("interprocess-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measure = || {
        let (small, big) = (folder.join("small"), folder.join("big"));
        fs::write(&small, "x")?;
        let (mut file, megabyte) = (File::create(&big)?, vec![0x55; 1 << 20]);
        for _ in 0..megabytes {
            file.write_all(&megabyte)?;
        }
        let socket = folder.join("socket");
        let median = |file: &Path, rounds: usize| {
            let mut times = (0..rounds)
                .map(|_| transfer(name, program, &socket, file).map(|time| time.as_secs_f64()))
                .collect::<io::Result<Vec<_>>>()?;
            times.sort_by(f64::total_cmp);
            io::Result::Ok(times[times.len() / 2])
        };
        // The first brings the file into memory.
        transfer(name, program, &socket, &big)?;
        let rate = f64::from(megabytes) * f64::from(1 << 20) / median(&big, 5)?;
        Ok(Program { name, one_byte: median(&small, rounds)?, rate })
    };
    let measured = measure();
    let _ = fs::remove_dir_all(&folder);
    measured
}

/// Sends a file from one process to another.
fn transfer(name: &str, program: &Path, socket: &Path, file: &Path) -> io::Result<Duration> {
    let _ = fs::remove_file(socket);
    let with = |what: &str| {
        let mut text = std::ffi::OsString::from(what);
        text.push(socket);
        text
    };
    let mut server = Command::new(program);
    let mut client = Command::new(program);
    if name == "ipc" {
        server.arg("listen").arg(socket);
        client.arg("connect").arg(socket);
    } else {
        // With blocks as long as those of `ipc`.
        server.args(["-b", "524288", "-u"]).arg(with("UNIX-LISTEN:")).arg("-");
        client.args(["-b", "524288", "-u", "-"]).arg(with("UNIX-CONNECT:"));
    }
    let mut server = server.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let transferred = until_it_listens(socket, &mut server).and_then(|()| {
        let start = Instant::now();
        let mut client = client.stdin(File::open(file)?).stdout(Stdio::null()).spawn()?;
        for process in [&mut client, &mut server] {
            let status = process.wait()?;
            if !status.success() {
                return Err(io::Error::other(format!("it failed: {status}")));
            }
        }
        Ok(start.elapsed())
    });
    // After an error; else it has ended.
    let _ = server.kill();
    let _ = server.wait();
    transferred
}

/// A socket file is there before its socket listens, and to connect would be to be the client.
fn until_it_listens(socket: &Path, server: &mut Child) -> io::Result<()> {
    /// In the column of flags: `SO_ACCEPTCON`.
    const LISTENS: &str = "00010000";
    let limit = Instant::now() + Duration::from_secs(10);
    let path = socket.to_string_lossy();
    loop {
        let sockets = fs::read_to_string("/proc/net/unix")?;
        let mut lines = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        if lines.any(|line| line.last() == Some(&&*path) && line.get(3) == Some(&LISTENS)) {
            return Ok(());
        }
        if Instant::now() > limit || server.try_wait()?.is_some() {
            return Err(io::Error::other("the server did not come up"));
        }
        thread::yield_now();
    }
}
