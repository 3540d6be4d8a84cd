//! Jobs for whoever has time, the urgent ones first: a POSIX message queue.
//!
//! ```text
//! cargo run --example message_queue                           # both ends, to see it work
//! cargo run --example message_queue send /jobs 5 "Water the plants"
//! cargo run --example message_queue work /jobs                # until nothing has come for ten seconds
//! cargo run --example message_queue remove /jobs
//! ```

use std::io;

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn main() -> io::Result<()> {
    use interprocess::os::unix::message_queue::MessageQueue;
    use std::{env, time::Duration};

    let args: Vec<_> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            let name = format!("/interprocess-example-{}", std::process::id());
            for (priority, job) in [(1, "Water the plants"), (9, "Put out the fire"), (1, "Feed the cat")] {
                queue::send(&name, priority, job)?;
            }
            queue::work(&name, Duration::from_millis(10))?;
            MessageQueue::unlink(&name)
        }
        ["send", name, priority, job] => {
            let priority = priority.parse().map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
            queue::send(name, priority, job)
        }
        ["work", name] => queue::work(name, Duration::from_secs(10)),
        ["remove", name] => MessageQueue::unlink(name),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "send NAME PRIORITY TEXT, or work NAME, or remove NAME",
        )),
    }
}

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
mod queue {
    use interprocess::os::unix::message_queue::MessageQueueOptions;
    use std::{io, time::Duration};

    /// Leaves a job, whether or not anybody is there to do it.
    pub(crate) fn send(name: &str, priority: u32, job: &str) -> io::Result<()> {
        options()
            .send_timeout(Some(Duration::from_secs(10)))
            .open_sender(name)?
            .send(job.as_bytes(), priority)
    }

    pub(crate) fn work(name: &str, patience: Duration) -> io::Result<()> {
        let queue = options().recv_timeout(Some(patience)).open_recver(name)?;
        let mut job = Vec::new();
        loop {
            match queue.recv(&mut job) {
                Ok(priority) => println!("{priority}: {}", String::from_utf8_lossy(&job)),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn options() -> MessageQueueOptions {
        MessageQueueOptions::new().create(true).max_message_size(256)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
#[allow(clippy::unnecessary_wraps, reason = "where there are queues it can fail")]
fn main() -> io::Result<()> {
    println!("Only Linux and FreeBSD have message queues.");
    Ok(())
}
