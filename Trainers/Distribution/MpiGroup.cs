using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Distribution;

/// <summary>The processes that <c>mpirun</c> has started.</summary>
internal sealed unsafe class MpiGroup : ProcessGroup
{
    private const int NoticeTag = 71;
    private const int NoticeBytes = 1024;
    private const int LongestSum = 1 << 28;
    private const int TestsPerLook = 200;
    private const int EndedByTimeout = 75;

    // What is not there after this time will not come: processes that wait look for each other's notices all the time.
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(3);

    // What is not there by then is no sum of gradients: another rank has more to do, and can use the core.
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(100);

    private readonly MpiLibrary _mpi;
    private readonly RingSum _ring;

    // Operations of a broken training are never done. What they may still write into is never freed.
    private readonly List<object> _abandoned = [];

    // The ranks that have said that they wait. Who waits for longest says it first.
    private readonly HashSet<int> _waiting = [];

    public MpiGroup()
    {
        _mpi = new MpiLibrary();
        (Rank, Size) = _mpi.Initialize();
        _ring = new RingSum(_mpi, Rank, Size, Wait);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => End();
    }

    /// <summary>Whether mpirun has started this process.</summary>
    public static bool IsRank => Environment.GetEnvironmentVariable("OMPI_COMM_WORLD_SIZE") != null;

    public override int Rank { get; }

    public override int Size { get; }

    private protected override byte[] BroadcastOnHost(byte[] value, int root)
    {
        Span<double> length = [Rank == root ? value.Length : 0];
        SumOnHost(length);
        var bytes = GC.AllocateUninitializedArray<byte>((int)length[0], pinned: true);
        if (Rank == root)
            value.CopyTo(bytes, 0);
        Keep(bytes, () => Wait(_mpi.BeginBroadcast((byte*)Marshal.UnsafeAddrOfPinnedArrayElement(bytes, 0), bytes.Length, root)));
        return bytes;
    }

    private protected override void SumOnHost(Span<double> values)
    {
        var memory = (double*)NativeMemory.Alloc((nuint)values.Length, sizeof(double));
        values.CopyTo(new Span<double>(memory, values.Length));
        Wait(_mpi.BeginSum(memory, values.Length)); // if it fails, the memory is lost, as it must be
        new Span<double>(memory, values.Length).CopyTo(values);
        NativeMemory.Free(memory);
    }

    private protected override double SumOnHost(Tensor values, double number, Precision precision)
    {
        var isShort = precision == Precision.BFloat16;
        var sent = (isShort ? values.to(ScalarType.BFloat16) : values.alias()).DetachFromDisposeScope();
        var total = GC.AllocateArray<double>(1, pinned: true);
        total[0] = number;
        Keep((sent, total), () =>
        {
            var ofNumber = _mpi.BeginSum((double*)Marshal.UnsafeAddrOfPinnedArrayElement(total, 0), 1);
            for (long first = 0; first < sent.NumberOfElements; first += LongestSum)
            {
                var count = (int)Math.Min(LongestSum, sent.NumberOfElements - first);
                if (isShort)
                    _ring.Sum(TensorMemory.Pointer<ushort>(sent) + first, count, BFloat16Sum.Add);
                else if (count >= RingSum.Least)
                    _ring.Sum(TensorMemory.Pointer<float>(sent) + first, count, (values, sums) => TensorPrimitives.Add(values, sums, sums));
                else
                    Wait(_mpi.BeginSum(TensorMemory.Pointer<float>(sent) + first, count));
            }
            Wait(ofNumber);
        });
        if (isShort)
            values.copy_(sent);
        sent.Dispose();
        return total[0];
    }

    private protected override void Notify(bool isCancelled, string reason) => Tell(isCancelled ? Notice.Cancelled : Notice.Failed, reason);

    private void Keep(object memory, Action operation)
    {
        try
        {
            operation();
        }
        catch
        {
            _abandoned.Add(memory);
            throw;
        }
    }

    private void Wait(nint request) => WaitUntil(() => _mpi.IsDone(ref request));

    public override void WaitUntil(Func<bool> isDone)
    {
        var watch = Stopwatch.StartNew();
        for (var tests = 1; !isDone(); tests++)
        {
            if (tests % TestsPerLook != 0)
                continue;
            Look();
            if (Timeout != System.Threading.Timeout.InfiniteTimeSpan && watch.Elapsed > Timeout)
                NameTheLate();
            if (watch.Elapsed < Soon)
                Thread.Yield(); // there may be more ranks than cores
            else
                Thread.Sleep(1);
        }
        _waiting.Clear();
    }

    /// <summary>Looks for what other ranks have told.</summary>
    private void Look()
    {
        Span<byte> bytes = stackalloc byte[NoticeBytes];
        for (var rank = 0; rank < Size; rank++)
        {
            if (rank == Rank || !_mpi.TryReceive(bytes, rank, NoticeTag))
                continue;
            var notice = (Notice)bytes[0];
            if (notice == Notice.Waiting)
                _waiting.Add(rank);
            else
                throw NoticeOf(rank, notice == Notice.Cancelled, Encoding.UTF8.GetString(bytes.Slice(sizeof(int) + 1, BinaryPrimitives.ReadInt32LittleEndian(bytes[1..]))));
        }
    }

    private void NameTheLate()
    {
        Tell(Notice.Waiting, "");
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < Answer && _waiting.Count < Size - 1; Thread.Sleep(1))
            Look();
        var late = Enumerable.Range(0, Size).Where(rank => rank != Rank && !_waiting.Contains(rank)).ToArray();
        var names = late.Length == 0 ? "The network" : string.Join(" and ", late.Select((rank, i) => FormattableString.Invariant($"{(i == 0 ? "R" : "r")}ank {rank}")));
        var first = Enumerable.Range(0, Size).First(rank => !late.Contains(rank));
        if (first == Rank)
            Console.Error.WriteLine(FormattableString.Invariant($"MLExtensions: {names} did not answer for {Timeout.TotalSeconds:0} s (Distributed.Timeout), so that the training of all {Size} ranks ends. The last checkpoint, if there is one, is intact."));
        else
            Thread.Sleep(Answer);
        _mpi.Abort(EndedByTimeout);
    }

    private void Tell(Notice notice, string reason)
    {
        var text = Encoding.UTF8.GetBytes(reason);
        text = text[..Math.Min(text.Length, NoticeBytes - sizeof(int) - 1)];
        var bytes = GC.AllocateArray<byte>(NoticeBytes, pinned: true);
        _abandoned.Add(bytes); // may be sent when somebody asks
        bytes[0] = (byte)notice;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(1), text.Length);
        text.CopyTo(bytes, sizeof(int) + 1);
        for (var rank = 0; rank < Size; rank++)
        {
            if (rank != Rank)
                _mpi.BeginSend((byte*)Marshal.UnsafeAddrOfPinnedArrayElement(bytes, 0), NoticeBytes, rank, NoticeTag);
        }
    }

    /// <summary>mpirun takes a process for lost that ends without this. A broken group might wait in it for ever.</summary>
    private void End()
    {
        using var watchdog = new Timer(_ => _mpi.Abort(EndedByTimeout), null, TimeSpan.FromSeconds(10), System.Threading.Timeout.InfiniteTimeSpan);
        _mpi.End();
    }

    private enum Notice : byte
    {
        Failed = 1,
        Cancelled = 2,
        Waiting = 3,
    }
}
