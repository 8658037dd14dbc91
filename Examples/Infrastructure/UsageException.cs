namespace MLExtensions.Examples.Infrastructure;

/// <summary>The command line is wrong; the message tells the user how to mend it.</summary>
internal sealed class UsageException(string message) : Exception(message);
