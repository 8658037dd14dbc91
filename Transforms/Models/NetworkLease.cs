using MLExtensions.Onnx;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Models;

/// <summary>
/// The weights of a trained network, and what engines have made of them, which are freed when they have been disposed and nothing uses them anymore:
/// whoever computes with them or reads them has a lease. Thread-safe.
/// </summary>
internal sealed class LeasedNetwork : IDisposable
{
    private readonly Dictionary<string, IDisposable> _kept = new(StringComparer.Ordinal);
    private volatile StoredNetwork? _stored;
    private readonly Lazy<nn.Module<Tensor, Tensor>> _module;
    private int _leases = 1; // that of the owner
    private int _disposed;

    /// <param name="module">The network, on the CPU in float32.</param>
    public LeasedNetwork(nn.Module<Tensor, Tensor> module)
    {
        Freeze(module);
        _module = new(module);
    }

    /// <param name="stored">The network as a file has it; libtorch is not needed until the module is.</param>
    public LeasedNetwork(StoredNetwork stored)
    {
        _stored = stored;
        _module = new(() =>
        {
            var module = Freeze(stored.CreateModule());
            _stored = null; // twice would be too much
            return module;
        });
    }

    /// <summary>Whoever disposes the network, for the message.</summary>
    public string Owner { get; set; } = nameof(NetworkModelParameters);

    /// <summary>How the network scores.</summary>
    public ScoringOptions Scoring { get; set; } = new();

    /// <summary>The network. Its weights are only there as long as there is a lease.</summary>
    /// <exception cref="TorchNotAvailableException">libtorch is needed for it and cannot be loaded.</exception>
    public nn.Module<Tensor, Tensor> Module => _module.Value;

    /// <summary>The names and shapes of the weights.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> Shapes => _stored?.Shapes ?? Module.state_dict().ToDictionary(entry => entry.Key, entry => (IReadOnlyList<long>)entry.Value.shape);

    /// <summary>The names of what is kept.</summary>
    public IReadOnlyList<string> Kept
    {
        get
        {
            lock (_kept)
                return [.. _kept.Keys];
        }
    }

    /// <summary>Whether the network is a module in libtorch.</summary>
    public bool IsModule => _module.IsValueCreated;

    /// <summary>Weights, which must not be changed; null if there are none of that name.</summary>
    public GraphTensor? Find(string name) => OpenWeights()(name);

    /// <summary>Finds many weights.</summary>
    public Func<string, GraphTensor?> OpenWeights()
    {
        if (_stored is { } stored)
            return stored.Find; // without a copy: whoever hands them out makes one
        var weights = Module.state_dict();
        return name =>
        {
            if (!weights.TryGetValue(name, out var found))
                return null;
            using var scope = NewDisposeScope();
            return new GraphTensor(TensorMemory.Floats(found.to(ScalarType.Float32).contiguous()).ToArray(), found.shape);
        };
    }

    /// <summary>Keeps what was made of the network until it is freed, or returns what is kept under that name.</summary>
    public T Keep<T>(string name, Func<T> create)
        where T : IDisposable
    {
        lock (_kept)
        {
            if (!_kept.TryGetValue(name, out var kept))
                _kept.Add(name, kept = create());
            return (T)kept;
        }
    }

    /// <exception cref="ObjectDisposedException">The network was disposed; the message says who owned it and what to do.</exception>
    public void Enter()
    {
        for (var leases = Volatile.Read(ref _leases); leases > 0 && Volatile.Read(ref _disposed) == 0;)
        {
            var before = Interlocked.CompareExchange(ref _leases, leases + 1, leases);
            if (before == leases)
                return;
            leases = before;
        }
        throw new ObjectDisposedException(Owner, $"The network of this {Owner} was freed when the {Owner} was disposed. Dispose it after its last use only. A PredictionEngine disposes its transformer, too, unless {nameof(Microsoft.ML.PredictionEngineOptions)}.{nameof(Microsoft.ML.PredictionEngineOptions.OwnsTransformer)} is false; several engines on one transformer need that. What is freed cannot be restored: load the model or train it again.");
    }

    public void Leave()
    {
        if (Interlocked.Decrement(ref _leases) > 0)
            return;
        foreach (var kept in _kept.Values)
            kept.Dispose();
        if (_module.IsValueCreated)
            Module.Dispose();
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            Leave();
    }

    private static nn.Module<Tensor, Tensor> Freeze(nn.Module<Tensor, Tensor> module)
    {
        module.eval();
        foreach (var parameter in module.parameters())
            parameter.requires_grad_(false);
        return module;
    }
}

/// <summary>Keeps networks from being freed until it is disposed.</summary>
internal readonly struct NetworkLease : IDisposable
{
    private readonly IReadOnlyList<NetworkModelParameters> _networks;

    private NetworkLease(IReadOnlyList<NetworkModelParameters> networks) => _networks = networks;

    /// <exception cref="ObjectDisposedException">A network was disposed; the message says who owned it and what to do.</exception>
    public static NetworkLease Of(IReadOnlyList<NetworkModelParameters> networks)
    {
        var entered = 0;
        try
        {
            for (; entered < networks.Count; entered++)
                networks[entered].Weights.Enter();
            return new NetworkLease(networks);
        }
        catch
        {
            while (--entered >= 0)
                networks[entered].Weights.Leave();
            throw;
        }
    }

    public void Dispose()
    {
        for (var i = 0; i < _networks.Count; i++)
            _networks[i].Weights.Leave();
    }
}
