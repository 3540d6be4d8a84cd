//! Sockets between a virtual machine and its host (`AF_HYPERV`). What is different from sockets of the Unix domain is here: the
//! address, and that connecting takes time. All else is done by the same listener and the same [`Stream`].

#[cfg(feature = "async")]
use super::stream::signal_of_pending;
use super::{
    overlapped::{ConnectEx, File, Op, Signal, has_code},
    stream::Stream,
    unix_socket::{Listener, Peer, of_family, of_handle, raw, result, start_listening},
};
use crate::{
    deadline::Deadline,
    os::windows::hvsock::{Guid, HvsockAddr},
};
#[cfg(feature = "async")]
use std::task::{Context, Poll};
use std::{
    io,
    os::windows::io::{AsHandle, AsSocket, BorrowedHandle, OwnedSocket},
    ptr::{null, null_mut},
    sync::Arc,
};
use windows_sys::{
    Win32::{
        Foundation::{ERROR_CONNECTION_REFUSED, ERROR_HOST_UNREACHABLE, ERROR_NETWORK_UNREACHABLE},
        Networking::WinSock::{
            AF_HYPERV, LPFN_CONNECTEX, SIO_GET_EXTENSION_FUNCTION_POINTER, SO_UPDATE_CONNECT_CONTEXT,
            SOCKADDR, SOCKET, SOL_SOCKET, SOMAXCONN, WSAID_CONNECTEX, WSAIoctl, bind, getpeername,
            getsockname, setsockopt,
        },
    },
    core::GUID,
};

/// `HV_PROTOCOL_RAW`.
const PROTOCOL: i32 = 1;

fn new() -> io::Result<OwnedSocket> {
    of_family(AF_HYPERV, PROTOCOL, "sockets for virtual machines (AF_HYPERV): it has no Hyper-V")
}

/// An address as the system has it (`SOCKADDR_HV`): the family, two bytes that are reserved, machine and service.
type Address = [u8; 36];

fn encode(address: &HvsockAddr) -> Address {
    let mut bytes = [0; 36];
    bytes[..2].copy_from_slice(&AF_HYPERV.to_le_bytes());
    bytes[4..20].copy_from_slice(&address.vm_id.to_memory());
    bytes[20..].copy_from_slice(&address.service_id.to_memory());
    bytes
}

fn decode(bytes: &[u8]) -> io::Result<HvsockAddr> {
    let guid = |at: usize| Some(Guid::from_memory(bytes.get(at..at + 16)?.try_into().ok()?));
    let is_of_family = bytes.get(..2) == Some(&AF_HYPERV.to_le_bytes());
    match (is_of_family, guid(4), guid(20)) {
        (true, Some(vm_id), Some(service_id)) => Ok(HvsockAddr { vm_id, service_id }),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a socket of AF_HYPERV")),
    }
}

fn bind_to(socket: &OwnedSocket, address: &[u8]) -> io::Result<()> {
    let len = i32::try_from(address.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the address has that length and outlives the call.
    result(unsafe { bind(raw(socket.as_socket()), address.as_ptr().cast(), len) })
}

pub(crate) fn listen(address: &HvsockAddr) -> io::Result<Listener> {
    let socket = new()?;
    bind_to(&socket, &encode(address))?;
    start_listening(&socket, SOMAXCONN.try_into().unwrap_or(i32::MAX))?;
    Listener::new(socket, new, None)
}

/// A connection that is being made. If this is dropped, it is not.
#[derive(Debug)]
pub(crate) struct Connecting(Option<Op>);

impl Connecting {
    /// Starts connecting. With `is_left`, it goes on even if the calling thread ends.
    pub(crate) fn start(address: &HvsockAddr, is_left: bool) -> io::Result<Self> {
        let address = encode(address);
        // That function wants a socket that is bound, and of this family one is bound to where it is to connect to.
        Self::start_from(new()?, &address, &address, is_left)
    }

    fn start_from(socket: OwnedSocket, from: &[u8], to: &[u8], is_left: bool) -> io::Result<Self> {
        bind_to(&socket, from)?;
        let function = connect_ex(&socket)?;
        let mut op = Op::new(Arc::new(File::from(socket)), Signal::new()?);
        // SAFETY: this socket was asked for the function.
        unsafe { op.start_connect_socket(function, to, is_left) }?;
        Ok(Self(Some(op)))
    }

    /// Waits to the deadline, and gives it up after that.
    pub(crate) fn wait(self, deadline: Deadline) -> io::Result<Stream> {
        if self.0.as_ref().is_some_and(|op| !op.waiter().wait(deadline)) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.finish(false)
    }

    /// Whether there is a result; if not, has the task woken when there is.
    #[cfg(feature = "async")]
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        match signal_of_pending(self.0.as_ref()) {
            Some(signal) => {
                signal.wake(cx.waker());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }

    /// The connection, or why there is none, once it is [ready](Self::poll_ready).
    pub(crate) fn finish(mut self, is_nonblocking: bool) -> io::Result<Stream> {
        let op = self.0.take().unwrap_or_else(|| unreachable!("it is taken here only"));
        // For the system's thread pool, should it still wait.
        op.signal().end();
        op.result().map_err(explain)?;
        let file = op.into_file();
        let socket = raw(of_handle(file.as_handle()));
        // Without this, the system neither tells the addresses nor lets one end a direction.
        // SAFETY: that option has no value.
        result(unsafe { setsockopt(socket, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, null(), 0) })?;
        Ok(Stream::of_socket(file, Peer::default(), is_nonblocking))
    }
}

impl Drop for Connecting {
    fn drop(&mut self) {
        if let Some(op) = self.0.take() {
            let signal = Arc::clone(op.signal());
            drop(op);
            signal.end();
        }
    }
}

/// The kernel's status is reported by the general table of errors, whose codes std knows less of than those of sockets.
fn explain(error: io::Error) -> io::Error {
    let kinds = [
        (ERROR_CONNECTION_REFUSED, io::ErrorKind::ConnectionRefused),
        (ERROR_HOST_UNREACHABLE, io::ErrorKind::HostUnreachable),
        (ERROR_NETWORK_UNREACHABLE, io::ErrorKind::NetworkUnreachable),
    ];
    match kinds.into_iter().find(|&(code, _)| has_code(&error, code)) {
        Some((_, kind)) => io::Error::new(kind, error),
        None => error,
    }
}

/// The function of that name of the socket's provider.
fn connect_ex(socket: &OwnedSocket) -> io::Result<ConnectEx> {
    const ID_LEN: u32 = 16;
    const _: () = assert!(size_of::<GUID>() == ID_LEN as usize);

    let id = WSAID_CONNECTEX;
    let (mut function, mut returned): (LPFN_CONNECTEX, u32) = (None, 0);
    let len = size_of::<LPFN_CONNECTEX>().try_into().expect("it is that of a pointer");
    // SAFETY: `id` and `function` have as many bytes as is said, and what is pointed to outlives the call. What is
    // returned for that ID is a function of that type, or nothing.
    result(unsafe {
        WSAIoctl(
            raw(socket.as_socket()),
            SIO_GET_EXTENSION_FUNCTION_POINTER,
            (&raw const id).cast(),
            ID_LEN,
            (&raw mut function).cast(),
            len,
            &raw mut returned,
            null_mut(),
            None,
        )
    })?;
    function.ok_or_else(|| io::ErrorKind::Unsupported.into())
}

pub(crate) fn local_addr(handle: BorrowedHandle<'_>) -> io::Result<HvsockAddr> {
    address_by(getsockname, handle)
}

pub(crate) fn peer_addr(handle: BorrowedHandle<'_>) -> io::Result<HvsockAddr> {
    address_by(getpeername, handle)
}

/// Asks for an address with a function that is used as `getsockname` is.
fn address_by(
    get: unsafe extern "system" fn(SOCKET, *mut SOCKADDR, *mut i32) -> i32,
    handle: BorrowedHandle<'_>,
) -> io::Result<HvsockAddr> {
    /// More than any address takes, and aligned for all.
    #[repr(align(8))]
    struct Room([u8; Room::LEN]);

    impl Room {
        const LEN: usize = 128;
    }

    let (mut room, mut len) = (Room([0; Room::LEN]), 128);
    // SAFETY: there are as many bytes as is said, which outlive the call.
    result(unsafe { get(raw(of_handle(handle)), room.0.as_mut_ptr().cast(), &raw mut len) })?;
    let len = usize::try_from(len).unwrap_or_default();
    decode(&room.0[..len.min(Room::LEN)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        net::{Ipv4Addr, Shutdown, TcpListener},
        time::Duration,
    };
    use windows_sys::Win32::Networking::WinSock::AF_INET;

    fn long() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    #[test]
    fn an_address_has_the_bytes_of_the_family_the_machine_and_the_service() {
        let address = HvsockAddr {
            vm_id: Guid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff),
            service_id: Guid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10),
        };
        let bytes = encode(&address);
        let expected: [&[u8]; 3] = [
            &[34, 0, 0, 0],
            &[0x33, 0x22, 0x11, 0, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff],
            &[4, 3, 2, 1, 6, 5, 8, 7, 9, 10, 11, 12, 13, 14, 15, 16],
        ];
        assert_eq!(bytes[..], expected.concat());
        assert_eq!(decode(&bytes).unwrap(), address);
        assert_eq!(decode(&bytes[..35]).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(decode(&[2; 36]).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(decode(&[]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    // What is said above of connecting holds for sockets of TCP as well, which Wine has.

    fn of_tcp(port: u16) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&AF_INET.to_le_bytes());
        bytes[2..4].copy_from_slice(&port.to_be_bytes());
        bytes[4..8].copy_from_slice(&Ipv4Addr::LOCALHOST.octets());
        bytes
    }

    fn start(port: u16, is_left: bool) -> Connecting {
        let socket = of_family(AF_INET, 0, "TCP").unwrap();
        Connecting::start_from(socket, &of_tcp(0), &of_tcp(port), is_left).unwrap()
    }

    #[test]
    fn a_socket_connects_and_is_a_whole_one_then() {
        for is_left in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let client = start(listener.local_addr().unwrap().port(), is_left).wait(long()).unwrap();
            let server = listener.accept().unwrap().0;
            let server =
                Stream::of_socket(Arc::new(OwnedSocket::from(server).into()), Peer::default(), false);
            assert_eq!(client.send(b"question").unwrap(), 8);
            client.shutdown(Shutdown::Write).unwrap();
            let mut buf = [0; 9];
            assert_eq!((server.recv(&mut buf).unwrap(), &buf[..8]), (8, &b"question"[..]));
            assert_eq!(server.recv(&mut buf).unwrap(), 0);
            assert_eq!(server.send(b"answer").unwrap(), 6);
            assert_eq!((client.recv(&mut buf).unwrap(), &buf[..6]), (6, &b"answer"[..]));
            // It is of another family.
            assert_eq!(peer_addr(client.as_handle()).unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert_eq!(local_addr(server.as_handle()).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn where_nobody_listens_connecting_is_refused() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let error = start(port, false).wait(long()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused, "{error:?}");
    }

    #[test]
    fn connecting_can_be_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for is_left in [false, true] {
            drop(start(port, is_left));
        }
        // It may have connected before it was looked at.
        if let Err(error) = start(port, false).wait(Deadline::after(Duration::ZERO)) {
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
    }

    #[cfg(feature = "async")]
    #[test]
    fn a_task_that_connects_is_woken() {
        use std::{sync::mpsc, task::Wake};

        struct Woken(mpsc::Sender<()>);

        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                let _ = self.0.send(());
            }
        }

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for _ in 0..20 {
            let connecting = start(port, true);
            let (sender, woken) = mpsc::channel();
            let waker = Arc::new(Woken(sender)).into();
            while connecting.poll_ready(&mut Context::from_waker(&waker)).is_pending() {
                woken.recv_timeout(Duration::from_secs(20)).unwrap();
            }
            let client = connecting.finish(true).unwrap();
            assert!(client.is_nonblocking().unwrap());
            let error = client.recv(&mut [0; 1]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        }
    }
}
