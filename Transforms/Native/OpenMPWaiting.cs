using System.Runtime.InteropServices;

namespace MLExtensions.Native;

/// <summary>
/// How libtorch's threads wait for each other. OpenMP lets them spin for milliseconds by default: on a machine whose cores have other work, and in a
/// container with a CPU quota, those that spin keep those that compute from running. So they go to sleep early, unless the user says otherwise.
/// </summary>
internal static class OpenMPWaiting
{
    /// <summary>The <see cref="AppContext"/> switch that leaves OpenMP as it is.</summary>
    internal const string OffSwitch = "MLExtensions.NoPassiveWait";

    // Not at once on GNU's OpenMP, the one of Linux, which spins 300,000 times, for milliseconds: 10,000 bridge the gaps between the operations of a
    // network. With 1,000 training a small network on two quiet cores is a fifth slower; more gains nothing and loses beside other work.
    private static readonly (string Name, string Value)[] Settings = [("OMP_WAIT_POLICY", "passive"), ("GOMP_SPINCOUNT", "10000")];

    // Intel's own variables for the same.
    private static readonly string[] Others = ["KMP_BLOCKTIME", "KMP_LIBRARY"];

    /// <summary>Sets the policy. OpenMP reads it once, when it is loaded.</summary>
    internal static void BePassive()
    {
        if ((AppContext.TryGetSwitch(OffSwitch, out var off) && off) || Settings.Select(setting => setting.Name).Concat(Others).Any(variable => Environment.GetEnvironmentVariable(variable) is { Length: > 0 }))
            return;
        foreach (var (name, value) in Settings)
        {
            if (OperatingSystem.IsWindows())
                Environment.SetEnvironmentVariable(name, value);
            else
                _ = NativeEnvironment.Set(name, value, overwrite: 0);
        }
    }
}

/// <summary>The environment that native code sees. Outside of Windows the runtime works on a copy of its own.</summary>
internal static class NativeEnvironment
{
    /// <returns>0 if the variable is set.</returns>
    [DllImport("libc", EntryPoint = "setenv")]
    internal static extern int Set(string name, string value, int overwrite);
}
