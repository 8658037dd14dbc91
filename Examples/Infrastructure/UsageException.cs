namespace MLExtensions.Examples.Infrastructure;

/// <summary>The command line is wrong or data is missing. The message tells the user in one line what to change.</summary>
internal sealed class UsageException(string message) : Exception(message);
