using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tensors;

/// <summary>
/// Makes a computation independent of what the host program has set on its thread: gradients off, inference mode, the number of threads.
/// When it ends, everything is as it was. (Default types and devices, which belong to the process, are never used: every tensor names its
/// own.)
/// </summary>
internal sealed class TorchState : IDisposable
{
    private readonly Stack<IDisposable> _changes = [];
    private readonly bool _gradients = is_grad_enabled();
    private readonly bool _inference = is_inference_mode_enabled();
    private readonly int _threads = TorchThreads.Current;

    private TorchState() => Resume();

    /// <summary>Enters a state in which modules can be created and trained.</summary>
    /// <exception cref="TorchNotAvailableException">libtorch cannot be loaded; the message says what is missing.</exception>
    public static TorchState Enter()
    {
        TorchRuntime.Initialize(); // before TorchSharp is touched, which would look for libtorch in its own way, and loudly
        return new TorchState();
    }

    /// <summary>Enters inference mode; to be disposed. Each use of libtorch without training begins with this.</summary>
    /// <exception cref="TorchNotAvailableException">libtorch cannot be loaded; the message says what is missing.</exception>
    public static IDisposable Infer()
    {
        TorchRuntime.Initialize();
        return inference_mode();
    }

    /// <summary>Enters the state again after code of the host has run, such as a progress handler that leaves no_grad open.</summary>
    public void Resume()
    {
        if (is_inference_mode_enabled())
            _changes.Push(inference_mode(false));
        if (!is_grad_enabled())
            _changes.Push(enable_grad());
        if (get_num_threads() != _threads)
            set_num_threads(_threads);
    }

    public void Dispose()
    {
        Resume();
        while (_changes.TryPop(out var change))
            change.Dispose();
        // What the host's code has left open would otherwise go on after the computation.
        if (is_inference_mode_enabled() != _inference)
            GC.SuppressFinalize(inference_mode(_inference)); // its finalizer would change the mode of another thread
        if (is_grad_enabled() != _gradients)
            set_grad_enabled(_gradients);
    }
}

/// <summary>
/// Restores the random generator of the process after calls that draw from it: libtorch's recurrent layers initialize themselves.
/// </summary>
internal readonly ref struct KeptGenerator
{
    // Two threads that save and restore in turn would restore a state in between.
    private static readonly Lock Gate = new();

    private readonly Generator _generator;
    private readonly Tensor _state;

    public KeptGenerator()
    {
        Gate.Enter();
        _generator = Generator.Default;
        _state = _generator.get_state();
    }

    public void Dispose()
    {
        _generator.set_state(_state);
        _state.Dispose();
        _generator.Dispose();
        Gate.Exit();
    }
}
