using System.Runtime.InteropServices;
using System.Text;

namespace MLExtensions.Distribution;

/// <summary>
/// What is used of Open MPI's C library. Its handles are addresses of exported globals. It is loaded by name when ranks are asked for, so that
/// nobody else needs it.
/// </summary>
internal sealed unsafe class MpiLibrary
{
    /// <summary>Names another file of the library.</summary>
    public const string PathVariable = "MPI_LIBRARY";

    // Open MPI finds its plug-ins' symbols only in libraries that were loaded globally, which .NET does not do.
    private const int LoadNowGlobally = 0x102;
    private const int OneThreadAtATime = 2;
    private const int LongestError = 1024;

    private static readonly nint InPlace = 1;

    private readonly nint _library;
    private readonly nint _world;
    private readonly nint _float;
    private readonly nint _double;
    private readonly nint _byte;
    private readonly nint _sum;
    private readonly delegate* unmanaged<nint, nint, int, nint, nint, nint, nint*, int> _sumAll;
    private readonly delegate* unmanaged<nint, int, nint, int, nint, nint*, int> _broadcast;
    private readonly delegate* unmanaged<nint*, int*, nint, int> _test;
    private readonly delegate* unmanaged<int, int, nint, int*, nint, int> _probe;
    private readonly delegate* unmanaged<nint, int, nint, int, int, nint, nint, int> _receive;
    private readonly delegate* unmanaged<nint, int, nint, int, int, nint, nint*, int> _send;
    private readonly delegate* unmanaged<nint, int, nint, int, int, nint, nint*, int> _beginReceive;

    /// <exception cref="DllNotFoundException">Open MPI is not installed.</exception>
    public MpiLibrary()
    {
        foreach (var name in new[] { Environment.GetEnvironmentVariable(PathVariable) ?? "libmpi.so.40", "libmpi.so" })
        {
            if (_library == 0)
                _library = Open(name, LoadNowGlobally);
        }
        if (_library == 0)
            throw new DllNotFoundException($"Open MPI's library libmpi.so.40 was not found. Install it (Debian: apt-get install openmpi-bin), or set {PathVariable} to its path.");
        (_world, _sum) = (Export("ompi_mpi_comm_world"), Export("ompi_mpi_op_sum"));
        (_float, _double, _byte) = (Export("ompi_mpi_float"), Export("ompi_mpi_double"), Export("ompi_mpi_byte"));
        _sumAll = (delegate* unmanaged<nint, nint, int, nint, nint, nint, nint*, int>)Export("MPI_Iallreduce");
        _broadcast = (delegate* unmanaged<nint, int, nint, int, nint, nint*, int>)Export("MPI_Ibcast");
        _test = (delegate* unmanaged<nint*, int*, nint, int>)Export("MPI_Test");
        _probe = (delegate* unmanaged<int, int, nint, int*, nint, int>)Export("MPI_Iprobe");
        _receive = (delegate* unmanaged<nint, int, nint, int, int, nint, nint, int>)Export("MPI_Recv");
        _beginReceive = (delegate* unmanaged<nint, int, nint, int, int, nint, nint*, int>)Export("MPI_Irecv");
        _send = (delegate* unmanaged<nint, int, nint, int, int, nint, nint*, int>)Export("MPI_Isend");
    }

    /// <summary>Begins. Afterwards the rank and the number of ranks are known.</summary>
    public (int Rank, int Size) Initialize()
    {
        int isInitialized, level, rank, size;
        Check(((delegate* unmanaged<int*, int>)Export("MPI_Initialized"))(&isInitialized));
        if (isInitialized == 0)
            Check(((delegate* unmanaged<nint, nint, int, int*, int>)Export("MPI_Init_thread"))(0, 0, OneThreadAtATime, &level));
        Check(((delegate* unmanaged<nint, nint, int>)Export("MPI_Comm_set_errhandler"))(_world, Export("ompi_mpi_errors_return")));
        Check(((delegate* unmanaged<nint, int*, int>)Export("MPI_Comm_rank"))(_world, &rank));
        Check(((delegate* unmanaged<nint, int*, int>)Export("MPI_Comm_size"))(_world, &size));
        return (rank, size);
    }

    public nint BeginSum(float* values, int count) => Begin(_sumAll, (nint)values, count, _float);

    public nint BeginSum(double* values, int count) => Begin(_sumAll, (nint)values, count, _double);

    public nint BeginBroadcast(byte* values, int count, int root)
    {
        nint request;
        Check(_broadcast((nint)values, count, _byte, root, _world, &request));
        return request;
    }

    /// <summary>Whether an operation is done. Each call moves all operations on.</summary>
    public bool IsDone(ref nint request)
    {
        int done;
        fixed (nint* pointer = &request)
            Check(_test(pointer, &done, 0));
        return done != 0;
    }

    /// <summary>Begins to send bytes; they must stay where they are until it is done.</summary>
    public nint BeginSend(byte* values, int count, int rank, int tag)
    {
        nint request;
        Check(_send((nint)values, count, _byte, rank, tag, _world, &request));
        return request;
    }

    /// <summary>Begins to receive bytes.</summary>
    public nint BeginReceive(byte* values, int count, int rank, int tag)
    {
        nint request;
        Check(_beginReceive((nint)values, count, _byte, rank, tag, _world, &request));
        return request;
    }

    /// <summary>Receives bytes if there are any.</summary>
    public bool TryReceive(Span<byte> values, int rank, int tag)
    {
        int isThere;
        Check(_probe(rank, tag, _world, &isThere, 0));
        if (isThere == 0)
            return false;
        fixed (byte* pointer = values)
            Check(_receive((nint)pointer, values.Length, _byte, rank, tag, _world, 0));
        return true;
    }

    /// <summary>Ends all processes.</summary>
    public void Abort(int exitCode) => ((delegate* unmanaged<nint, int, int>)Export("MPI_Abort"))(_world, exitCode);

    /// <summary>Ends the use of the library.</summary>
    public void End()
    {
        int isOver;
        Check(((delegate* unmanaged<int*, int>)Export("MPI_Finalized"))(&isOver));
        if (isOver == 0)
            Check(((delegate* unmanaged<int>)Export("MPI_Finalize"))());
    }

    private nint Begin(delegate* unmanaged<nint, nint, int, nint, nint, nint, nint*, int> sum, nint values, int count, nint type)
    {
        nint request;
        Check(sum(InPlace, values, count, type, _sum, _world, &request));
        return request;
    }

    private nint Export(string name) => NativeLibrary.GetExport(_library, name);

    private void Check(int code)
    {
        if (code == 0)
            return;
        var text = stackalloc byte[LongestError];
        int length;
        ((delegate* unmanaged<int, byte*, int*, int>)Export("MPI_Error_string"))(code, text, &length);
        throw new DistributedException($"Open MPI reports: {Encoding.UTF8.GetString(text, length)}");
    }

    [DllImport("libc", EntryPoint = "dlopen", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern nint Open(string name, int flags);
}
