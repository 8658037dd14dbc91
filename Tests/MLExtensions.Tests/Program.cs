namespace MLExtensions.Tests;

internal static class Program
{
    private static async Task<int> Main(string[] args)
        => args is [ChildProcess.Command, ..]
            ? ChildProcess.Dispatch(args[1..])
            : await MicrosoftTestingPlatformApplication.RunAsync(args);
}
