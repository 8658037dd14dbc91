using static TorchSharp.torch;

namespace MLExtensions.Models;

/// <summary>
/// The weights of a trained network, which are freed when they have been disposed and nothing uses them anymore: whoever computes with them
/// or reads them has a lease. Thread-safe.
/// </summary>
internal sealed class LeasedNetwork(nn.Module<Tensor, Tensor> module) : IDisposable
{
    private int _leases = 1; // that of the owner
    private int _disposed;

    /// <summary>Whoever disposes the network, for the message.</summary>
    public string Owner { get; set; } = nameof(NetworkModelParameters);

    /// <summary>The network. Its weights are only there as long as there is a lease.</summary>
    public nn.Module<Tensor, Tensor> Module => module;

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
        if (Interlocked.Decrement(ref _leases) == 0)
            module.Dispose();
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            Leave();
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
