using System.Diagnostics;
using System.Globalization;
using System.Text;
using MLExtensions;
using MLExtensions.NativeSearch;

// convolution|transposed|recurrent raw|library FIRST SECONDS STATE: runs cases from number FIRST on, through torch's layers or the library's, for so many seconds
// (0: one case). The file STATE holds the number and the words of the case that is being run: who finds it after a crash knows the case. Output: a line
// for each wrong value, and at the end the number of the first case that was not run. NATIVE_SEARCH_ONLY: words that a case must have.
var library = args[1] == "library";
var next = int.Parse(args[2], CultureInfo.InvariantCulture);
var patience = TimeSpan.FromSeconds(int.Parse(args[3], CultureInfo.InvariantCulture));
var only = Environment.GetEnvironmentVariable("NATIVE_SEARCH_ONLY") ?? "";
IEnumerable<ISearchCase> cases = args[0] switch
{
    "convolution" => ConvolutionCase.All(),
    "transposed" => TransposedCase.All(),
    _ => RecurrentCase.Sample(),
};
using var state = new FileStream(args[4], FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
// In a virtual machine that hides its caches oneDNN is wrong in a way of its own (HiddenCaches): seen only when asked for.
AppContext.SetSwitch("MLExtensions.NoCacheSizes", Environment.GetEnvironmentVariable("NATIVE_SEARCH_AS_IS") == "1");
TorchRuntime.Initialize();
var clock = Stopwatch.StartNew();
var ended = true;
foreach (var now in cases.Where(one => one.ToString()!.Contains(only, StringComparison.Ordinal)).Skip(next))
{
    state.SetLength(0);
    state.Write(Encoding.UTF8.GetBytes($"{next} {now}\n"));
    next++;
    foreach (var finding in now.Compare(library))
        Console.WriteLine($"wrong: {now}: {finding}");
    if (clock.Elapsed >= patience)
    {
        ended = false;
        break;
    }
}
Console.WriteLine($"next {next} {(ended ? "end" : "more")}");

/// <summary>A layer, its settings and its input.</summary>
internal interface ISearchCase
{
    /// <summary>Computes outputs and gradients in float32 or bfloat16 and in float64, which no fast library computes, and returns what differs.</summary>
    List<string> Compare(bool library);
}
