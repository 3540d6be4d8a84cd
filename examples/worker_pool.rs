//! A pool of workers, each a process of its own: one that crashes takes a job with it, and nothing else. Another takes its place.
//!
//! ```text
//! cargo run --example worker_pool
//! ```
//!
//! `parent_child` is the same with one child, and `pipeline` has children that talk to each other.

use interprocess::{
    child::{Give, inherited},
    unnamed_pipe::{Recver, Sender, pipe},
};
use std::{
    collections::BTreeMap,
    env,
    io::{self, BufRead, BufReader, Write},
    process::{Child, Command},
    sync::Mutex,
    thread,
    time::Duration,
};

const WORKERS: usize = 3;
/// A worker that takes longer hangs.
const LONGEST_JOB: Duration = Duration::from_secs(30);

fn main() -> io::Result<()> {
    if env::args().nth(1).as_deref() == Some("worker") { work() } else { pool() }
}

/// A worker: answers line by line, until there are no more jobs.
fn work() -> io::Result<()> {
    let jobs: Recver = inherited("jobs")?;
    let mut answers: Sender = inherited("answers")?;
    for job in BufReader::new(jobs).lines() {
        let Ok(number) = job?.parse::<u64>() else {
            // A bug. A real one might be a crash in a library that is written in C.
            std::process::exit(3);
        };
        let divisor = (2..number).take_while(|n| n * n <= number).find(|n| number % n == 0);
        match divisor {
            Some(divisor) => writeln!(answers, "{number} is {divisor} times {}", number / divisor)?,
            None => writeln!(answers, "{number} is prime")?,
        }
    }
    Ok(())
}

/// A worker, as the pool sees it.
struct Worker {
    process: Child,
    jobs: Sender,
    answers: BufReader<Recver>,
}

impl Worker {
    fn start() -> io::Result<Self> {
        let (jobs, its_jobs) = pipe()?;
        let (its_answers, answers) = pipe()?;
        answers.set_recv_timeout(Some(LONGEST_JOB))?;
        jobs.set_send_timeout(Some(LONGEST_JOB))?;
        // No other worker gets these ends, so each sees the end of its own jobs, and we the end of its answers.
        let process = Command::new(env::current_exe()?)
            .arg("worker")
            .give("jobs", its_jobs)
            .give("answers", its_answers)
            .spawn()?;
        Ok(Self { process, jobs, answers: BufReader::new(answers) })
    }

    fn run(&mut self, job: &str) -> io::Result<String> {
        writeln!(self.jobs, "{job}")?;
        let mut answer = String::new();
        match self.answers.read_line(&mut answer)? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the worker has died of it")),
            _ => Ok(answer.trim_end().to_owned()),
        }
    }

    /// No more jobs: the worker ends by itself.
    fn finish(self) -> io::Result<()> {
        let Self { mut process, jobs, .. } = self;
        drop(jobs);
        process.wait().map(drop)
    }

    /// For a worker that hangs, or is dead already.
    fn kill(mut self) -> io::Result<()> {
        // An error means that it has ended.
        let _ = self.process.kill();
        self.process.wait().map(drop)
    }
}

fn pool() -> io::Result<()> {
    let jobs = ["91", "97", "a dozen", "1000003", "1000001", "999999000001"];
    let (todo, done) = (Mutex::new(jobs.iter()), Mutex::new(BTreeMap::new()));
    // A thread for each worker gives it the next job as soon as it has answered.
    let look_after_one = || -> io::Result<()> {
        let mut worker = Worker::start()?;
        loop {
            let Some(job) = todo.lock().unwrap().next() else { return worker.finish() };
            let result = worker.run(job);
            if result.is_err() {
                worker.kill()?;
                worker = Worker::start()?;
            }
            done.lock().unwrap().insert(job, result);
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..WORKERS).map(|_| scope.spawn(look_after_one)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
    })?;
    for (job, result) in done.into_inner().unwrap() {
        match result {
            Ok(answer) => println!("{job}: {answer}"),
            Err(error) => println!("{job}: failed, {error}"),
        }
    }
    Ok(())
}
