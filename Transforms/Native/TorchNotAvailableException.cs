namespace MLExtensions;

/// <summary>
/// libtorch, the native library behind TorchSharp, cannot be loaded. The message says what is missing and how to get it.
/// </summary>
public sealed class TorchNotAvailableException : InvalidOperationException
{
    /// <summary>Creates the exception with a message that says nothing in particular.</summary>
    public TorchNotAvailableException()
        : this("libtorch is not available.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is missing, and how to get it.</param>
    public TorchNotAvailableException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is missing, and how to get it.</param>
    /// <param name="innerException">What the runtime or TorchSharp said.</param>
    public TorchNotAvailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
