using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace MLExtensions.Examples.Serving.Http;

/// <summary>
/// What happens to connections when the server ends. Kestrel closes the sockets on which it listens at once: the system then resets connections that it has established and
/// Kestrel has not accepted, and Kestrel those whose request it has not begun to read. Their clients have sent a request and get no answer.
/// So before Kestrel is told to end, Linux stops to establish new ones, and those that are there have their turn.
/// </summary>
internal sealed class LastConnections(ServerOptions options)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(1);

    private readonly ConcurrentBag<Socket> _sockets = [];

    /// <summary>Creates a socket for Kestrel to listen on.</summary>
    public Socket Bind(EndPoint endpoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        _sockets.Add(socket);
        return socket;
    }

    /// <summary>Lets the last connections in, and waits for their requests.</summary>
    public void LetIn()
    {
        if (options.Drain <= TimeSpan.Zero || !OperatingSystem.IsLinux())
            return;
        var start = Stopwatch.GetTimestamp();
        foreach (var socket in _sockets)
            RefuseNew(socket);
        while (_sockets.Any(IsAsked) && Stopwatch.GetElapsedTime(start) < options.Drain)
            Thread.Sleep(Interval);
        if (options.Drain - Stopwatch.GetElapsedTime(start) is var rest && rest > TimeSpan.Zero)
            Thread.Sleep(rest);
    }

    /// <summary>
    /// Has Linux drop the packets that ask for new connections, and none of those that complete one (a socket filter of the classic Berkeley kind). Their clients ask
    /// again a second later, and are refused.
    /// </summary>
    private static unsafe void RefuseNew(Socket socket)
    {
        const int SocketLevel = 1, AttachFilter = 26;
        ReadOnlySpan<Instruction> filter =
        [
            new(0x30, 0, 0, 13), // load the byte of TCP's flags
            new(0x45, 0, 1, 0x02), // is it a SYN?
            new(0x06, 0, 0, 0), // drop it
            new(0x06, 0, 0, uint.MaxValue), // keep it
        ];
        fixed (Instruction* instructions = filter)
        {
            ReadOnlySpan<nint> program = [filter.Length, (nint)instructions];
            try
            {
                socket.SetRawSocketOption(SocketLevel, AttachFilter, MemoryMarshal.AsBytes(program));
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Where the system does not do that, connections end as Kestrel ends them.
            }
        }
    }

    private static bool IsAsked(Socket socket)
    {
        try
        {
            return socket.Poll(0, SelectMode.SelectRead);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>An instruction of a filter.</summary>
    private readonly record struct Instruction(ushort Code, byte SkippedIfTrue, byte SkippedIfFalse, uint Operand);
}
