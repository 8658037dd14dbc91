using System.Reflection;
using MLExtensions.Tensors;
using TorchSharp;

namespace MLExtensions.Tests.Tensors;

/// <summary>
/// TorchSharp does not keep alive what it converts for a call (<c>x * 0.5f</c>, <c>x.clamp(0, 1)</c>), so the collector can free a number while
/// native code reads it. The race is too rare to be provoked; so the compiled code is searched for such calls instead.
/// </summary>
[TestClass]
public sealed class NumberTests
{
    private readonly Dictionary<MethodBase, bool> _converts = [];

    [TestMethod]
    public void ProductCode_KeepsTheNumbersItHandsOver()
    {
        var calls = CompiledCode.ProductTypes.Where(type => type != typeof(Number)).SelectMany(CompiledCode.Methods)
            .SelectMany(method => CompiledCode.Calls(method).Where(Converts).Select(called => $"{method.DeclaringType}.{method.Name} calls {called.DeclaringType!.Name}.{called}"))
            .Distinct().Order(StringComparer.Ordinal).ToArray();
        Assert.IsEmpty(calls, "Hand over Number.Of(value) instead:\n" + string.Join("\n", calls));
    }

    /// <summary>Proof that the search finds what it is for.</summary>
    [TestMethod]
    public void Search_FindsConversionsHereAndInTorchSharp()
    {
        Assert.Contains(true, CompiledCode.Calls(((Func<torch.Tensor, torch.Tensor>)(x => x.clamp(0, 1))).Method).Select(Converts));
        Assert.Contains(true, CompiledCode.Calls(((Func<torch.Tensor, torch.Tensor>)(x => x * 2f)).Method).Select(Converts));
        Assert.Contains(true, CompiledCode.Calls(((Func<torch.Tensor, torch.Tensor>)(x => torch.nn.functional.elu(x, 1.0))).Method).Select(Converts));
        Assert.DoesNotContain(true, CompiledCode.Calls(((Func<torch.Tensor, torch.Tensor>)(x => x.mul(Number.Of(2f)).sigmoid())).Method).Select(Converts));
    }

    /// <summary>Whether a method of TorchSharp makes a <see cref="Scalar"/> of a number, itself or in what it calls.</summary>
    private bool Converts(MethodBase method)
    {
        if (method.DeclaringType?.Assembly != typeof(torch).Assembly)
            return false;
        if (method.DeclaringType == typeof(Scalar))
            return method.Name == "op_Implicit";
        if (_converts.TryGetValue(method, out var known))
            return known;
        _converts[method] = false; // while it is looked at, for what calls itself
        return _converts[method] = CompiledCode.Calls(method).Any(Converts);
    }
}
