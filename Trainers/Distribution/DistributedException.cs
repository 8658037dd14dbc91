namespace MLExtensions;

/// <summary>A training on several ranks ended because of another rank, whose number and reason the message names.</summary>
public sealed class DistributedException : InvalidOperationException
{
    internal DistributedException(string message)
        : base(message)
    {
    }
}
