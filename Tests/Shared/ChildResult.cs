namespace MLExtensions.Tests;

/// <summary>How a child process ended and what it wrote.</summary>
internal sealed record ChildResult(int ExitCode, string Output, string Error)
{
    /// <summary>Fails the test, showing what the child wrote, unless its exit code is 0.</summary>
    /// <returns>This result.</returns>
    internal ChildResult AssertSuccess()
    {
        Assert.AreEqual(0, ExitCode, $"The child process failed.\n{Output}{Error}");
        return this;
    }
}
