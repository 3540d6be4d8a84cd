//! Child processes that inherit what they are given and nothing else.
//!
//! The rule of this file: a handle of ours is inheritable only while `CreateProcessW` runs, since whatever starts a
//! process with inheritance meanwhile, on any thread, hands it on as well. The child's handle has the value of
//! ours, so the duplicate that fixes the value is made early, but not inheritable.

use super::{
    handle::{check, invalid, make_inheritable, set_inheritable},
    overlapped::{has_code, os_error, wait_for},
    wide::to_wide,
};
use crate::deadline::Deadline;
use std::{
    cell::UnsafeCell,
    cmp::Ordering,
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    fmt::{self, Debug, Formatter},
    fs::{self, OpenOptions},
    io,
    os::windows::{
        ffi::{OsStrExt, OsStringExt},
        io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
        process::ExitStatusExt,
    },
    path::{self, Component, Path, PathBuf},
    process::ExitStatus,
    ptr::{null, null_mut},
    time::Duration,
};
use windows_sys::Win32::{
    Foundation::{ERROR_ACCESS_DENIED, ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_HANDLE, HANDLE},
    Globalization::{CSTR_EQUAL, CSTR_GREATER_THAN, CSTR_LESS_THAN, CompareStringOrdinal},
    System::{
        SystemInformation::{GetSystemDirectoryW, GetWindowsDirectoryW},
        Threading::{
            CREATE_UNICODE_ENVIRONMENT, CreateProcessW, DeleteProcThreadAttributeList,
            EXTENDED_STARTUPINFO_PRESENT, GetExitCodeProcess, InitializeProcThreadAttributeList,
            LPPROC_THREAD_ATTRIBUTE_LIST, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, PROCESS_INFORMATION,
            STARTF_USESTDHANDLES, STARTUPINFOEXW, STARTUPINFOW, TerminateProcess, UpdateProcThreadAttribute,
        },
    },
};

/// How many 16-bit units `CreateProcessW` takes as a command line, with the NUL.
const MAX_COMMAND_LINE: usize = 32_767;

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Argument {
    /// To be quoted so that the child finds it as it is here.
    Quoted(OsString),
    /// A piece of the command line.
    Raw(OsString),
}

/// The command line from which a program that follows the rules of C finds these arguments. With a NUL.
fn command_line(program: &OsStr, args: &[Argument]) -> io::Result<Vec<u16>> {
    let mut line = Vec::new();
    // The first is read by other rules: everything up to the next quote, and a path contains none.
    line.push(QUOTE);
    line.extend(program.encode_wide());
    line.push(QUOTE);
    for arg in args {
        line.push(SPACE);
        match arg {
            Argument::Quoted(arg) => quote(&mut line, arg),
            Argument::Raw(text) => line.extend(text.encode_wide()),
        }
    }
    if line.contains(&0) {
        return Err(invalid("an argument contains NUL"));
    }
    line.push(0);
    if line.len() > MAX_COMMAND_LINE {
        let (len, max) = (line.len() - 1, MAX_COMMAND_LINE - 1);
        let why = format!("the command line is {len} characters long, but at most {max} are possible");
        return Err(invalid(why));
    }
    Ok(line)
}

const SPACE: u16 = b' ' as u16;
const TAB: u16 = b'\t' as u16;
const QUOTE: u16 = b'"' as u16;
const BACKSLASH: u16 = b'\\' as u16;

/// Appends an argument. A backslash stands for itself, except in front of a quote: there, it takes two for one.
fn quote(line: &mut Vec<u16>, arg: &OsStr) {
    let needs_quotes = arg.is_empty() || arg.encode_wide().any(|unit| unit == SPACE || unit == TAB);
    if needs_quotes {
        line.push(QUOTE);
    }
    let mut backslashes = 0;
    for unit in arg.encode_wide() {
        if unit == QUOTE {
            line.extend([BACKSLASH].repeat(backslashes + 1));
        }
        backslashes = if unit == BACKSLASH { backslashes + 1 } else { 0 };
        line.push(unit);
    }
    if needs_quotes {
        line.extend([BACKSLASH].repeat(backslashes));
        line.push(QUOTE);
    }
}

/// The name of a variable. Upper and lower case are the same, by the system's rules.
#[derive(Clone)]
struct VariableName {
    wide: Vec<u16>,
}

impl VariableName {
    fn new(name: &OsStr) -> Self {
        Self { wide: name.encode_wide().collect() }
    }
}

impl Ord for VariableName {
    fn cmp(&self, other: &Self) -> Ordering {
        let len = |name: &Self| i32::try_from(name.wide.len()).unwrap_or(i32::MAX);
        // SAFETY: both texts have at least so many units.
        let result = unsafe {
            CompareStringOrdinal(self.wide.as_ptr(), len(self), other.wide.as_ptr(), len(other), 1)
        };
        match result {
            CSTR_LESS_THAN => Ordering::Less,
            CSTR_EQUAL => Ordering::Equal,
            CSTR_GREATER_THAN => Ordering::Greater,
            _ => unreachable!("it fails for wrong parameters only"),
        }
    }
}

impl PartialOrd for VariableName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for VariableName {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for VariableName {}

/// How the child's environment differs from ours.
#[derive(Clone, Default)]
struct Environment {
    is_cleared: bool,
    /// `None` takes a variable away.
    changes: BTreeMap<VariableName, Option<OsString>>,
}

impl Environment {
    fn set(&mut self, name: &OsStr, value: Option<&OsStr>) {
        let name = VariableName::new(name);
        // What has the name in other letters goes, letters included.
        self.changes.remove(&name);
        self.changes.insert(name, value.map(OsStr::to_owned));
    }

    fn clear(&mut self) {
        self.is_cleared = true;
        self.changes.clear();
    }

    /// All variables, if they are not just ours.
    fn capture(&self) -> Option<BTreeMap<VariableName, OsString>> {
        if !self.is_cleared && self.changes.is_empty() {
            return None;
        }
        let mut all = BTreeMap::new();
        if !self.is_cleared {
            all.extend(env::vars_os().map(|(name, value)| (VariableName::new(&name), value)));
        }
        for (name, value) in &self.changes {
            all.remove(name);
            if let Some(value) = value {
                all.insert(name.clone(), value.clone());
            }
        }
        Some(all)
    }

    /// The `PATH` of the child, if it may be another than ours.
    fn path(&self) -> Option<&OsStr> {
        self.changes.get(&VariableName::new("PATH".as_ref()))?.as_deref()
    }
}

/// All variables as `CreateProcessW` wants them: sorted, each ended by a NUL, and a NUL after the last.
fn environment_block(variables: &BTreeMap<VariableName, OsString>) -> io::Result<Vec<u16>> {
    const EQUALS: u16 = b'=' as u16;

    let mut block = Vec::new();
    for (name, value) in variables {
        // The system itself has names that start with `=`.
        if name.wide.is_empty() || name.wide[1..].contains(&EQUALS) || name.wide.contains(&0) {
            let name = String::from_utf16_lossy(&name.wide);
            return Err(invalid(format!("{name:?} is not a name of an environment variable")));
        }
        let start = block.len() + name.wide.len() + 1;
        block.extend(&name.wide);
        block.push(EQUALS);
        block.extend(value.encode_wide());
        if block[start..].contains(&0) {
            let name = String::from_utf16_lossy(&name.wide);
            return Err(invalid(format!("the environment variable {name} contains NUL")));
        }
        block.push(0);
    }
    if block.is_empty() {
        block.push(0);
    }
    block.push(0);
    Ok(block)
}

/// The file of a program: absolute, so that what was looked at is what runs.
fn find_program(program: &OsStr, child_path: Option<&OsStr>) -> io::Result<PathBuf> {
    let bad = |why: &str| invalid(format!("program {program:?}: {why}"));
    if program.encode_wide().any(|unit| unit == 0 || unit == QUOTE) {
        return Err(bad("it contains NUL or a quote"));
    }
    if program.is_empty()
        || program.as_encoded_bytes().ends_with(br"\")
        || program.as_encoded_bytes().ends_with(b"/")
    {
        return Err(bad("it has no file name"));
    }
    let mut components = Path::new(program).components();
    let is_name = matches!((components.next(), components.next()), (Some(Component::Normal(_)), None))
        && !program.as_encoded_bytes().contains(&b'/');
    let file = if is_name { search(program, child_path) } else { Some(with_extension(program)) };
    let Some(file) = file else {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("program {program:?} not found")));
    };
    // This takes dots and spaces off the end, as opening the file does.
    let file = path::absolute(without_verbatim(file))?;
    if is_batch_file(&file) {
        // Its arguments would be read by cmd.exe, whose rules no quoting satisfies for sure.
        return Err(bad("it is a batch file; start cmd.exe, with arguments that are safe for it"));
    }
    Ok(file)
}

/// A path with `.exe` added, if there is such a file.
fn with_extension(program: &OsStr) -> PathBuf {
    let has_extension = program
        .len()
        .checked_sub(4)
        .is_some_and(|at| program.as_encoded_bytes()[at..].eq_ignore_ascii_case(b".exe"));
    if !has_extension {
        let mut longer = program.to_owned();
        longer.push(".exe");
        if is_file(longer.as_ref()) {
            return longer.into();
        }
    }
    program.into()
}

/// Where a program is that is given by its name alone. The current directory is not looked at, which anybody may have
/// written to.
fn search(name: &OsStr, child_path: Option<&OsStr>) -> Option<PathBuf> {
    let mut name = PathBuf::from(name);
    if !name.as_os_str().as_encoded_bytes().contains(&b'.') {
        name.set_extension("exe");
    }
    let in_path = |path: &OsStr| {
        let dirs = env::split_paths(path).filter(|dir| !dir.as_os_str().is_empty());
        dirs.map(|dir| dir.join(&name)).find(|file| is_file(file))
    };
    if let Some(file) = child_path.and_then(in_path) {
        return Some(file);
    }
    let own = env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned()));
    let system = [
        // SAFETY: the buffer has as many units as is said.
        || filled(|buffer, len| unsafe { GetSystemDirectoryW(buffer, len) }),
        // SAFETY: as above.
        || filled(|buffer, len| unsafe { GetWindowsDirectoryW(buffer, len) }),
    ];
    own.into_iter()
        .chain(system.into_iter().filter_map(|dir| dir()))
        .map(|dir| dir.join(&name))
        .find(|file| is_file(file))
        .or_else(|| in_path(&env::var_os("PATH")?))
}

fn is_file(path: &Path) -> bool {
    // Not what a link points to: some links to programs cannot be opened, only run.
    fs::symlink_metadata(path).is_ok_and(|data| !data.is_dir())
}

/// A path from a function that fills a buffer, and says how long it is or has to be.
fn filled(fill: impl Fn(*mut u16, u32) -> u32) -> Option<PathBuf> {
    let mut buffer = vec![0; 260];
    loop {
        let len = fill(buffer.as_mut_ptr(), u32::try_from(buffer.len()).ok()?) as usize;
        match len {
            0 => return None,
            len if len < buffer.len() => return Some(OsString::from_wide(&buffer[..len]).into()),
            len => buffer.resize(len + 1, 0),
        }
    }
}

/// Whether `CreateProcessW` would have it run by cmd.exe.
fn is_batch_file(file: &Path) -> bool {
    let name = file.as_os_str().as_encoded_bytes();
    name.len().checked_sub(4).is_some_and(|at| {
        name[at..].eq_ignore_ascii_case(b".bat") || name[at..].eq_ignore_ascii_case(b".cmd")
    })
}

/// A path without `\\?\`, if it means the same: many programs, and the current directory, cannot have it.
fn without_verbatim(path: PathBuf) -> PathBuf {
    /// From here on, only that form is understood by all.
    const MAX_PATH: usize = 260;

    let Some(rest) = path.to_str().and_then(|path| path.strip_prefix(r"\\?\")) else { return path };
    let short = match rest.strip_prefix(r"UNC\") {
        Some(share) => format!(r"\\{share}"),
        None if rest.as_bytes().get(1..3) == Some(br":\") => rest.to_owned(),
        None => return path,
    };
    let means_the_same = path::absolute(&short).is_ok_and(|full| full.as_os_str() == short.as_str());
    if short.encode_utf16().count() < MAX_PATH && means_the_same { short.into() } else { path }
}

/// What a standard handle of the child is.
#[derive(Debug)]
pub(crate) enum Stdio {
    Inherit,
    Null,
    Handle(OwnedHandle),
    /// A handle that an earlier child has got.
    Gone,
}

/// What is to be started, and how.
pub(crate) struct Command {
    program: OsString,
    args: Vec<Argument>,
    environment: Environment,
    current_dir: Option<PathBuf>,
    flags: u32,
    stdio: [Stdio; 3],
    inherited: Vec<OwnedHandle>,
    /// Whether `inherited` went to an earlier child.
    has_given: bool,
}

impl Command {
    pub(crate) fn new(program: &OsStr) -> Self {
        Self {
            program: program.to_owned(),
            args: Vec::new(),
            environment: Environment::default(),
            current_dir: None,
            flags: 0,
            stdio: [Stdio::Inherit, Stdio::Inherit, Stdio::Inherit],
            inherited: Vec::new(),
            has_given: false,
        }
    }

    pub(crate) fn arg(&mut self, arg: &OsStr) {
        self.args.push(Argument::Quoted(arg.to_owned()));
    }

    pub(crate) fn raw_arg(&mut self, text: &OsStr) {
        self.args.push(Argument::Raw(text.to_owned()));
    }

    /// `None` takes the variable away.
    pub(crate) fn env(&mut self, name: &OsStr, value: Option<&OsStr>) {
        self.environment.set(name, value);
    }

    pub(crate) fn env_clear(&mut self) {
        self.environment.clear();
    }

    pub(crate) fn current_dir(&mut self, dir: &Path) {
        self.current_dir = Some(dir.to_owned());
    }

    pub(crate) fn creation_flags(&mut self, flags: u32) {
        self.flags = flags;
    }

    /// Standard input is 0, output 1, error output 2.
    pub(crate) fn stdio(&mut self, which: usize, stdio: Stdio) {
        self.stdio[which] = stdio;
    }

    /// The value that the handle will have in the child.
    pub(crate) fn inherit(&mut self, handle: BorrowedHandle<'_>) -> io::Result<usize> {
        if handle.as_raw_handle().is_null() {
            return Err(invalid("a null handle cannot be inherited"));
        }
        if self.has_given {
            return Err(given());
        }
        let handle = handle.try_clone_to_owned()?;
        let value = handle.as_raw_handle().addr();
        self.inherited.push(handle);
        Ok(value)
    }

    pub(crate) fn spawn(&mut self) -> io::Result<Child> {
        if self.has_given || self.stdio.iter().any(|stdio| matches!(stdio, Stdio::Gone)) {
            return Err(given());
        }
        let variables = self.environment.capture();
        let block = variables.as_ref().map(environment_block).transpose()?;
        let mut line = command_line(&self.program, &self.args)?;
        let dir = self.current_dir.clone().map(|dir| to_wide(without_verbatim(dir).as_os_str()));
        if dir.as_ref().is_some_and(|dir| dir[..dir.len() - 1].contains(&0)) {
            return Err(invalid("the current directory contains NUL"));
        }
        let file = to_wide(find_program(&self.program, self.environment.path())?.as_os_str());

        // What was opened for this child alone, until it has it.
        let mut opened = [None, None, None];
        for (which, stdio) in self.stdio.iter().enumerate() {
            opened[which] = open(which, stdio)?;
        }
        let stdio = [0, 1, 2].map(|which| match (&self.stdio[which], &opened[which]) {
            (Stdio::Handle(handle), _) | (_, Some(handle)) => Some(handle.as_handle()),
            _ => None,
        });
        let handles: Vec<_> =
            self.inherited.iter().map(AsHandle::as_handle).chain(stdio.into_iter().flatten()).collect();
        let child = create(&file, &mut line, block.as_deref(), dir.as_deref(), self.flags, stdio, &handles)?;

        // Else we would keep the other ends from seeing that the child has ended.
        self.has_given = !self.inherited.is_empty();
        self.inherited.clear();
        for stdio in &mut self.stdio {
            if matches!(stdio, Stdio::Handle(_)) {
                *stdio = Stdio::Gone;
            }
        }
        Ok(child)
    }
}

/// Not the environment, which may contain what is not to be seen.
impl Debug for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("program", &self.program)
            .field("args", &self.args)
            .field("current_dir", &self.current_dir)
            .field("inherited", &self.inherited)
            .finish_non_exhaustive()
    }
}

fn given() -> io::Error {
    invalid("its handles went to the child that was started first")
}

/// The handle for what is not one already. `None` if there is none to inherit.
fn open(which: usize, stdio: &Stdio) -> io::Result<Option<OwnedHandle>> {
    match stdio {
        Stdio::Inherit => {
            let result = match which {
                0 => io::stdin().as_handle().try_clone_to_owned(),
                1 => io::stdout().as_handle().try_clone_to_owned(),
                _ => io::stderr().as_handle().try_clone_to_owned(),
            };
            match result {
                Ok(handle) if handle.as_raw_handle().is_null() => Ok(None),
                // A process without a console may have a number there that means nothing.
                Err(error) if has_code(&error, ERROR_INVALID_HANDLE) => Ok(None),
                result => result.map(Some),
            }
        }
        Stdio::Null => {
            let file = OpenOptions::new().read(which == 0).write(which != 0).open(r"\\.\NUL")?;
            Ok(Some(file.into()))
        }
        Stdio::Handle(_) | Stdio::Gone => Ok(None),
    }
}

/// Starts a process that inherits `handles`, which contain `stdio`, and nothing else.
fn create(
    file: &[u16],
    line: &mut [u16],
    environment: Option<&[u16]>,
    dir: Option<&[u16]>,
    flags: u32,
    stdio: [Option<BorrowedHandle<'_>>; 3],
    handles: &[BorrowedHandle<'_>],
) -> io::Result<Child> {
    let list = if handles.is_empty() { None } else { Some(AttributeList::of_handles(handles)?) };
    let size = if list.is_some() { size_of::<STARTUPINFOEXW>() } else { size_of::<STARTUPINFOW>() };
    let mut startup = STARTUPINFOEXW {
        lpAttributeList: list.as_ref().map_or(null_mut(), AttributeList::as_ptr),
        ..Default::default()
    };
    startup.StartupInfo.cb = u32::try_from(size).unwrap_or_else(|_| unreachable!("it has some dozen bytes"));
    if stdio.iter().any(Option::is_some) {
        let raw =
            |handle: Option<BorrowedHandle<'_>>| handle.map_or(null_mut(), |handle| handle.as_raw_handle());
        startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
        startup.StartupInfo.hStdInput = raw(stdio[0]);
        startup.StartupInfo.hStdOutput = raw(stdio[1]);
        startup.StartupInfo.hStdError = raw(stdio[2]);
    }
    let extended = if list.is_some() { EXTENDED_STARTUPINFO_PRESENT } else { 0 };
    let flags = flags & !EXTENDED_STARTUPINFO_PRESENT | extended | CREATE_UNICODE_ENVIRONMENT;
    let mut process = PROCESS_INFORMATION::default();
    let as_ptr = |text: Option<&[u16]>| text.map_or(null(), <[u16]>::as_ptr);

    let inheritable = Inheritable::new(handles)?;
    // SAFETY: all texts end with NUL, the environment with two; the startup information is as large as its field
    // says, and has a list of attributes if the flags say so. All of it outlives the call.
    let result = check(unsafe {
        CreateProcessW(
            file.as_ptr(),
            line.as_mut_ptr(),
            null(),
            null(),
            i32::from(list.is_some()),
            flags,
            as_ptr(environment).cast(),
            as_ptr(dir),
            (&raw const startup).cast(),
            &raw mut process,
        )
    });
    drop(inheritable);
    result?;
    // SAFETY: CreateProcessW succeeded, so both handles are open and ours.
    unsafe {
        Ok(Child {
            process: OwnedHandle::from_raw_handle(process.hProcess),
            main_thread: OwnedHandle::from_raw_handle(process.hThread),
            id: process.dwProcessId,
        })
    }
}

/// Handles while they are inheritable. On drop they are not any more.
struct Inheritable<'h>(&'h [BorrowedHandle<'h>]);

impl<'h> Inheritable<'h> {
    fn new(handles: &'h [BorrowedHandle<'h>]) -> io::Result<Self> {
        let this = Self(handles);
        handles.iter().try_for_each(|handle| make_inheritable(*handle))?;
        Ok(this)
    }
}

impl Drop for Inheritable<'_> {
    fn drop(&mut self) {
        for handle in self.0 {
            // It worked the other way round.
            let _ = set_inheritable(*handle, false);
        }
    }
}

/// What a process is started with beyond what `STARTUPINFOW` has room for.
struct AttributeList {
    /// Aligned for pointers.
    buffer: Vec<UnsafeCell<usize>>,
    /// The list refers to these.
    handles: Vec<HANDLE>,
}

impl AttributeList {
    /// With these handles, of which there is one at least, as those that the process inherits.
    fn of_handles(handles: &[BorrowedHandle<'_>]) -> io::Result<Self> {
        let handles: Vec<_> = handles.iter().map(AsRawHandle::as_raw_handle).collect();
        let mut size = 0;
        // SAFETY: without a list, it only says how large one with 1 attribute is; `size` outlives the call.
        if unsafe { InitializeProcThreadAttributeList(null_mut(), 1, 0, &raw mut size) } == 0 {
            let error = io::Error::last_os_error();
            if !has_code(&error, ERROR_INSUFFICIENT_BUFFER) {
                return Err(error);
            }
        }
        let mut buffer = Vec::new();
        buffer.resize_with(size.div_ceil(size_of::<usize>()), UnsafeCell::default);
        // SAFETY: the buffer has `size` bytes.
        check(unsafe { InitializeProcThreadAttributeList(buffer.as_mut_ptr().cast(), 1, 0, &raw mut size) })?;
        let list = Self { buffer, handles };
        // SAFETY: the list was made just now, with room for one attribute; the handles live as long as it does.
        check(unsafe {
            UpdateProcThreadAttribute(
                list.as_ptr(),
                0,
                PROC_THREAD_ATTRIBUTE_HANDLE_LIST as usize,
                list.handles.as_ptr().cast(),
                size_of_val(&list.handles[..]),
                null_mut(),
                null(),
            )
        })?;
        Ok(list)
    }

    /// For the system to write to, too.
    fn as_ptr(&self) -> LPPROC_THREAD_ATTRIBUTE_LIST {
        self.buffer.as_ptr().cast_mut().cast()
    }
}

impl Drop for AttributeList {
    fn drop(&mut self) {
        // SAFETY: the list was initialized, and nothing refers to it any more.
        unsafe { DeleteProcThreadAttributeList(self.as_ptr()) };
    }
}

/// Ends a process.
pub(super) fn terminate(process: BorrowedHandle<'_>) -> io::Result<()> {
    // SAFETY: the handle is open.
    check(unsafe { TerminateProcess(process.as_raw_handle(), 1) })
}

/// A process that we have started.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) process: OwnedHandle,
    pub(crate) main_thread: OwnedHandle,
    pub(crate) id: u32,
}

impl Child {
    /// How it ended; `None` if it has not by then.
    pub(crate) fn wait(&self, deadline: Deadline) -> io::Result<Option<ExitStatus>> {
        if !wait_for(self.process.as_handle(), deadline) {
            return Ok(None);
        }
        let mut code = 0;
        // SAFETY: the handle is open, and `code` outlives the call.
        check(unsafe { GetExitCodeProcess(self.process.as_raw_handle(), &raw mut code) })?;
        Ok(Some(ExitStatus::from_raw(code)))
    }

    pub(crate) fn kill(&self) -> io::Result<()> {
        /// How long a process that is about to end may take to have ended.
        const GRACE: Duration = Duration::from_secs(1);

        match terminate(self.process.as_handle()) {
            // That is how it is put that the process has ended before, or is about to.
            Err(error) if has_code(&error, ERROR_ACCESS_DENIED) => {
                let ended = self.wait(Deadline::after(GRACE))?;
                if ended.is_some() { Ok(()) } else { Err(os_error(ERROR_ACCESS_DENIED)) }
            }
            result => result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn line(args: &[Argument]) -> String {
        let line = command_line("p".as_ref(), args).unwrap();
        String::from_utf16(line.strip_suffix(&[0]).unwrap()).unwrap()
    }

    #[test]
    fn arguments_are_quoted_as_the_rules_of_c_want_it() {
        for (arg, quoted) in [
            ("", r#""""#),
            ("plain", "plain"),
            ("two words", r#""two words""#),
            ("a\ttab", "\"a\ttab\""),
            (r#"a"b"#, r#"a\"b"#),
            (r#"a"b c"#, r#""a\"b c""#),
            (r"a\b", r"a\b"),
            (r"C:\dir\", r"C:\dir\"),
            (r"C:\my dir\", r#""C:\my dir\\""#),
            (r#"\""#, r#"\\\""#),
            (r#"\\" "#, r#""\\\\\" ""#),
            (r"\\ \", r#""\\ \\""#),
            ("line\nbreak", "line\nbreak"),
        ] {
            assert_eq!(line(&[Argument::Quoted(arg.into())]), format!(r#""p" {quoted}"#), "{arg:?}");
        }
        let raw = [Argument::Raw(r#"as "it is"#.into()), Argument::Quoted("it's".into())];
        assert_eq!(line(&raw), r#""p" as "it is it's"#);
    }

    #[test]
    fn a_lone_surrogate_goes_through() {
        let arg = OsString::from_wide(&[0xd800, SPACE]);
        let line = command_line("p".as_ref(), &[Argument::Quoted(arg)]).unwrap();
        assert_eq!(line, [&wide("\"p\" \"")[..], &[0xd800, SPACE, QUOTE, 0]].concat());
    }

    #[test]
    fn what_is_no_command_line_is_refused() {
        for arg in ["nul\0nul".to_owned(), "a".repeat(MAX_COMMAND_LINE)] {
            for arg in [Argument::Quoted(arg.clone().into()), Argument::Raw(arg.into())] {
                let error = command_line("p".as_ref(), &[arg]).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            }
        }
        // `"p" ` and the NUL are counted.
        assert!(
            command_line("p".as_ref(), &[Argument::Quoted("a".repeat(MAX_COMMAND_LINE - 5).into())]).is_ok()
        );
    }

    #[test]
    fn names_of_variables_are_the_same_in_upper_and_lower_case() {
        let mut environment = Environment::default();
        environment.clear();
        for (name, value) in [("b", "1"), ("A", "2"), ("ä", "3"), ("Ä", "4"), ("B", "5"), ("c", "6")] {
            environment.set(name.as_ref(), Some(value.as_ref()));
        }
        environment.set("C".as_ref(), None);
        let block = environment_block(&environment.capture().unwrap()).unwrap();
        assert_eq!(block, wide("A=2\0B=5\0Ä=4\0\0"));
    }

    #[test]
    fn an_empty_environment_is_two_nuls_and_an_unchanged_one_is_none() {
        let mut environment = Environment::default();
        assert!(environment.capture().is_none());
        environment.clear();
        assert_eq!(environment_block(&environment.capture().unwrap()).unwrap(), [0, 0]);
    }

    #[test]
    fn what_is_no_variable_is_refused() {
        for (name, value) in [("", "v"), ("a=b", "v"), ("a\0", "v"), ("a", "v\0")] {
            let mut environment = Environment::default();
            environment.clear();
            environment.set(name.as_ref(), Some(value.as_ref()));
            let error = environment_block(&environment.capture().unwrap()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{name:?}");
        }
        // The system keeps the current directories of drives so.
        let mut environment = Environment::default();
        environment.clear();
        environment.set("=C:".as_ref(), Some(r"C:\dir".as_ref()));
        assert_eq!(environment_block(&environment.capture().unwrap()).unwrap(), wide("=C:=C:\\dir\0\0"));
    }

    #[test]
    fn batch_files_are_refused_however_they_are_written() {
        for program in [
            r"a\a.bat",
            r"C:\a.BAT",
            "dir/a.cmd",
            r".\a.cMd",
            r"C:\a.bat.",
            r"C:\a.bat ",
            r"C:\a.cmd . .",
            r"\\?\C:\a.bat",
            "C:a.bat",
        ] {
            let error = find_program(program.as_ref(), None).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{program}");
            assert!(error.to_string().contains("batch file"), "{program}: {error}");
        }
    }

    #[test]
    fn what_is_no_program_is_refused() {
        for program in ["", r"C:\", "dir/", "a\0b", "a\"b"] {
            let error = find_program(program.as_ref(), None).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{program:?}");
        }
        let error = find_program("interprocess-no-such-program".as_ref(), None).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains("no-such-program"), "{error}");
    }

    #[test]
    fn a_verbatim_path_is_shortened_if_it_means_the_same() {
        for (path, short) in [
            (r"\\?\C:\dir\file", r"C:\dir\file"),
            (r"\\?\UNC\server\share\file", r"\\server\share\file"),
            (r"\\?\C:\dir\..\file", r"\\?\C:\dir\..\file"),
            (r"\\?\C:\dir\file.", r"\\?\C:\dir\file."),
            (r"\\?\Volume{1}\file", r"\\?\Volume{1}\file"),
            (r"C:\dir\..\file", r"C:\dir\..\file"),
        ] {
            assert_eq!(without_verbatim(path.into()), Path::new(short));
        }
    }
}
