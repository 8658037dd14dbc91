using System.Runtime.InteropServices;

namespace MLExtensions.Tests;

internal static partial class Program
{
    private static async Task<int> Main(string[] args)
    {
        if (OperatingSystem.IsLinux())
            SetEnvironment("OMP_WAIT_POLICY", "passive", overwrite: 0);
        return args is [ChildProcess.Command, ..]
            ? ChildProcess.Dispatch(args[1..])
            : await MicrosoftTestingPlatformApplication.RunAsync(args);
    }

    /// <summary>Sets a variable that native libraries see, which <see cref="Environment.SetEnvironmentVariable(string, string)"/> does not.</summary>
    /// <remarks>Test projects run side by side: threads of torch that wait by spinning would take the other one's processor.</remarks>
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
