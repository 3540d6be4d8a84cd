//! Channels of bytes of the crate ipc-channel: one for each direction. It allocates each message that it receives.

use crate::{
    arena::{Place, Ready, Work, work},
    peer::Peer,
    shape::{Shape, check, pattern},
};
use ipc_channel::ipc::{IpcBytesReceiver, IpcBytesSender, IpcOneShotServer, IpcSender, bytes_channel};
use std::{fs, io};

type Ends = (IpcBytesSender, IpcBytesReceiver);

pub(crate) fn near(place: &Place, shape: Shape) -> io::Result<Work> {
    let server = fs::read_to_string(place.file(Peer::IpcChannel))?;
    let ((sender, to_read), (to_write, receiver)) = (bytes_channel()?, bytes_channel()?);
    let meet = IpcSender::<Ends>::connect(server)?;
    meet.send((to_write, to_read)).map_err(io::Error::other)?;
    let message = pattern(shape.size());
    let mut is_first = true;
    Ok(work(move |count, laps| {
        for _ in 0..count {
            sender.send(&message)?;
            if let Shape::OneWay(_) = shape {
                continue;
            }
            let answer = receiver.recv().map_err(io::Error::other)?;
            if is_first {
                check(&answer, 0, message.len())?;
                is_first = false;
            }
            laps.lap();
        }
        if let Shape::OneWay(_) = shape {
            receiver.recv().map_err(io::Error::other)?;
        }
        Ok(())
    }))
}

pub(crate) fn far(place: &Place, shape: Shape) -> io::Result<Ready> {
    let (server, name) = IpcOneShotServer::<Ends>::new()?;
    fs::write(place.file(Peer::IpcChannel), name)?;
    Ok(Box::new(move || {
        let (_, (sender, receiver)) = server.accept().map_err(io::Error::other)?;
        let mut is_first = true;
        Ok(work(move |count, _| {
            for _ in 0..count {
                let message = receiver.recv().map_err(io::Error::other)?;
                if is_first {
                    check(&message, 0, shape.size())?;
                    is_first = false;
                }
                if !matches!(shape, Shape::OneWay(_)) {
                    sender.send(&message)?;
                }
            }
            if let Shape::OneWay(_) = shape {
                sender.send(&[0])?;
            }
            Ok(())
        }))
    }))
}
